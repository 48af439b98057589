"""UUIDs that sort by time, so that new rows go to the end of an index."""

from __future__ import annotations

import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    """Return a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits.

    Python 3.14 has `uuid.uuid7`.
    """
    milliseconds = time.time_ns() // 1_000_000
    random_a, random_b = secrets.randbits(12), secrets.randbits(62)
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b
    return uuid.UUID(int=value)
