"""The time as the database has it, because leases of several hosts are compared with each other.

A host whose clock is minutes ahead would take for lost what others have in hand. Must not know what
is timed.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

_NEGLIGIBLE = timedelta(seconds=1)
"""Less is the way to the database and back, not a wrong clock."""

_FRESH_SECONDS = 5.0

_offset = timedelta(0)
_adjusted_at = float("-inf")


def now() -> datetime:
    """The database's time as far as this process knows it; asks nobody, so any thread may call."""
    return timezone.now() + _offset


def adjust() -> None:
    """Ask the database for its time. SQLite is on this machine and has no clock of its own."""
    global _offset, _adjusted_at  # noqa: PLW0603 - the one clock of the process.
    _adjusted_at = time.monotonic()
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [told] = cursor.fetchone()
    offset = told - timezone.now()
    _offset = offset if abs(offset) > _NEGLIGIBLE else timedelta(0)


def adjust_if_old() -> None:
    """The same for who would ask at every request: not again within a few seconds."""
    if time.monotonic() - _adjusted_at > _FRESH_SECONDS:
        adjust()
