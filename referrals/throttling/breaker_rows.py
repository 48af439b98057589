"""The breaker as a value from its row, and back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from referrals.models import BreakerState
from referrals.throttling.breaker import Breaker, WindowBucket


def to_domain(row: BreakerState) -> Breaker:
    """Return the breaker that the row stores."""
    seconds = row.cooldown_seconds
    return Breaker(
        consecutive_failures=row.consecutive_failures,
        consecutive_unauthorized=row.consecutive_unauthorized,
        window=tuple(_to_bucket(bucket) for bucket in row.window),
        open_until=row.open_until,
        cooldown=None if seconds is None else timedelta(seconds=seconds),
        consecutive_successes=row.consecutive_successes,
        closed_at=row.closed_at,
    )


def from_domain(breaker: Breaker) -> dict[str, Any]:
    """Return the columns that store the breaker; the row's tokens and notifications are others."""
    cooldown = breaker.cooldown
    return {
        "consecutive_failures": breaker.consecutive_failures,
        "consecutive_unauthorized": breaker.consecutive_unauthorized,
        "window": [_from_bucket(bucket) for bucket in breaker.window],
        "open_until": breaker.open_until,
        "cooldown_seconds": None if cooldown is None else cooldown.total_seconds(),
        "consecutive_successes": breaker.consecutive_successes,
        "closed_at": breaker.closed_at,
    }


BREAKER_COLUMNS = tuple(from_domain(Breaker()))
"""The names of the columns that store a breaker."""


def _to_bucket(stored: dict[str, Any]) -> WindowBucket:
    return WindowBucket(**{**stored, "start": datetime.fromisoformat(stored["start"])})


def _from_bucket(bucket: WindowBucket) -> dict[str, Any]:
    return {**asdict(bucket), "start": bucket.start.isoformat()}
