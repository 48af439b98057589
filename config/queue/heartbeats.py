"""When workers and the tick last gave a sign of life; kept in Redis, worth nothing without it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from redis.exceptions import RedisError

from config.queue.job_queue import redis_connection

WORKER, TICK = "worker", "tick"
_KEY = "referrals:beats"

MAX_SILENCE_SECONDS = 60
"""Silence after which something is counted as dead; a worker has a job every few seconds."""


def record_heartbeat(name: str) -> None:
    """Say that this one is alive."""
    try:
        redis_connection().hset(_KEY, name, str(time.time()))
    except RedisError:
        return  # Whoever asks will find Redis away, which says more than a missing beat.


def read_heartbeats() -> dict[str, datetime]:
    """The last sign of each that ever gave one; raises RedisError."""
    heartbeats_by_name = redis_connection().hgetall(_KEY)
    return {
        name.decode(): datetime.fromtimestamp(float(at), UTC)
        for name, at in heartbeats_by_name.items()
    }


def is_alive(heartbeats_by_name: dict[str, datetime], name: str, now: datetime) -> bool:
    """Whether this one was heard of lately."""
    return (
        name in heartbeats_by_name
        and (now - heartbeats_by_name[name]).total_seconds() < MAX_SILENCE_SECONDS
    )
