"""When workers and the tick were last alive; kept in Redis, worth nothing without it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from redis.exceptions import RedisError

from config.queue.redis import redis_connection, redis_errors_translated

WORKER, TICK = "worker", "tick"
_KEY = "referrals:beats"

MAX_SILENCE_SECONDS = 60
"""Silence after which something is counted as dead; a worker has a job every few seconds."""


def record_heartbeat(name: str) -> None:
    """Record that this one is alive now."""
    try:
        redis_connection().hset(_KEY, name, str(time.time()))
    except RedisError:
        return  # Whoever asks will find Redis away, which says more than a missing heartbeat.


def read_heartbeats() -> dict[str, datetime]:
    """Return the last heartbeat of each that ever had one; raise QueueUnavailableError."""
    with redis_errors_translated():
        heartbeats_by_name = redis_connection().hgetall(_KEY)
    return {
        name.decode(): datetime.fromtimestamp(float(at), UTC)
        for name, at in heartbeats_by_name.items()
    }


def is_alive(heartbeats_by_name: dict[str, datetime], name: str, now: datetime) -> bool:
    """Return whether this one had a heartbeat lately."""
    return (
        name in heartbeats_by_name
        and (now - heartbeats_by_name[name]).total_seconds() < MAX_SILENCE_SECONDS
    )


def has_live_worker() -> bool:
    """Return whether any worker had a heartbeat lately; raise QueueUnavailableError."""
    return is_alive(read_heartbeats(), WORKER, datetime.now(UTC))
