"""Time limits of tests, multiplied by TEST_TIME_FACTOR on a busy machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

_FACTOR = float(os.environ.get("TEST_TIME_FACTOR", "1"))


def scaled(seconds: float) -> float:
    """Return the seconds times TEST_TIME_FACTOR."""
    return seconds * _FACTOR


WAIT_SECONDS = scaled(30)
"""How long a test waits for another thread or process before it fails."""


def wait_until(is_true: Callable[[], bool], seconds: float = 30, *, every: float = 0.01) -> None:
    """Wait until `is_true()`; raise AssertionError after the seconds times TEST_TIME_FACTOR.

    For changes by other threads and processes that have no event to wait for.
    """
    ends_at = time.monotonic() + scaled(seconds)
    while not is_true():
        assert time.monotonic() < ends_at, f"not true after {scaled(seconds):g} s"
        time.sleep(every)
