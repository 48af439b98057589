"""Whether this process was told to stop: loops ask here, signal handlers set it."""

from __future__ import annotations

import signal
import time

_STEP_SECONDS = 0.1

# A plain flag and no threading.Event: a signal handler that runs while its own thread holds the
# event's lock would wait for itself.
_requested = False


def request() -> None:
    """Ask every loop of the process to begin nothing new."""
    global _requested  # noqa: PLW0603 - the one flag of the process.
    _requested = True


def requested() -> bool:
    """Return whether the process should stop."""
    return _requested


def wait(seconds: float) -> None:
    """Sleep, but wake up soon when told to stop."""
    end = time.monotonic() + seconds
    while not _requested and (left := end - time.monotonic()) > 0:
        time.sleep(min(_STEP_SECONDS, left))


def handle_signals() -> None:
    """Let SIGINT and SIGTERM request the stop, in processes that have no handler of their own."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: request())
