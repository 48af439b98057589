"""When workers and the tick last gave a sign of life; kept in Redis, worth nothing without it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from redis.exceptions import RedisError

from referrals.queue import redis_connection

WORKER, TICK = "worker", "tick"
_KEY = "referrals:beats"

LATE_SECONDS = 60
"""Silence after which something is counted as dead; a worker has a job every few seconds."""


def beat(name: str) -> None:
    """Say that this one is alive."""
    try:
        redis_connection().hset(_KEY, name, str(time.time()))
    except RedisError:
        return  # Whoever asks will find Redis away, which says more than a missing beat.


def last_beats() -> dict[str, datetime]:
    """The last sign of each that ever gave one; raises RedisError."""
    beats = redis_connection().hgetall(_KEY)
    return {name.decode(): datetime.fromtimestamp(float(at), UTC) for name, at in beats.items()}


def is_alive(beats: dict[str, datetime], name: str, now: datetime) -> bool:
    """Whether this one was heard of lately."""
    return name in beats and (now - beats[name]).total_seconds() < LATE_SECONDS
