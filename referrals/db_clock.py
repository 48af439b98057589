"""The time of the database, because leases of several hosts are compared with each other.

A host whose clock is minutes ahead would take for lost what other hosts have in flight.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

_NEGLIGIBLE = timedelta(seconds=1)
"""A smaller offset is the round trip to the database, not a wrong clock."""

_FRESH_SECONDS = 5.0

_offset = timedelta(0)
_adjusted_at = float("-inf")


def now() -> datetime:
    """Return the database's time, by the offset last measured. Any thread may call it: no query."""
    return timezone.now() + _offset


def adjust() -> None:
    """Measure the offset of this host's clock from the database's.

    SQLite is on this host and has no clock of its own.
    """
    global _offset, _adjusted_at  # noqa: PLW0603 - the one clock of the process.
    _adjusted_at = time.monotonic()
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [database_now] = cursor.fetchone()
    offset = database_now - timezone.now()
    _offset = offset if abs(offset) > _NEGLIGIBLE else timedelta(0)


def adjust_if_old() -> None:
    """Measure the offset unless that was done a few seconds ago; cheap enough for every request."""
    if time.monotonic() - _adjusted_at > _FRESH_SECONDS:
        adjust()
