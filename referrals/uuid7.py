"""Identifiers that sort by time, so that a growing table is written at its end; knows no model."""

from __future__ import annotations

import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits.

    Python's own arrives with 3.14.
    """
    milliseconds = time.time_ns() // 1_000_000
    random_a, random_b = secrets.randbits(12), secrets.randbits(62)
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b
    return uuid.UUID(int=value)
