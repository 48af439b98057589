"""What is known of a connection's health, in a row of its own.

Apart from the connection, so that a person who saves a form never overwrites what workers learned.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import models

from connections.models import Connection
from connections.models.scoping import ScopedQuerySet
from referrals.throttling.breaker import Breaker, WindowBucket


class BreakerStateQuerySet(ScopedQuerySet["BreakerState"]):
    """Questions about connections' health."""

    account_path = "connection__account"


class BreakerState(models.Model):
    """The breaker's memory of one connection, its token bucket, and when people were told what."""

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, primary_key=True, related_name="breaker"
    )
    consecutive_failures = models.PositiveIntegerField(default=0)
    consecutive_unauthorized = models.PositiveIntegerField(default=0)
    window = models.JSONField(default=list)
    open_until = models.DateTimeField(null=True, blank=True)
    cooldown_seconds = models.FloatField(null=True, blank=True)
    consecutive_successes = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)
    tokens = models.FloatField(default=1)
    tokens_updated_at = models.DateTimeField(null=True, blank=True)
    notified_at = models.JSONField(default=dict, help_text="When each event was last mailed.")

    objects = BreakerStateQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "breaker states"

    def __str__(self) -> str:
        return f"Breaker of {self.connection}"

    def to_domain(self) -> Breaker:
        """The breaker's own kind of value."""
        return Breaker(
            consecutive_failures=self.consecutive_failures,
            consecutive_unauthorized=self.consecutive_unauthorized,
            window=tuple(_minute(row) for row in self.window),
            open_until=self.open_until,
            rest=None
            if self.cooldown_seconds is None
            else timedelta(seconds=self.cooldown_seconds),
            consecutive_successes=self.consecutive_successes,
            closed_at=self.closed_at,
        )

    def take(self, health: Breaker) -> None:
        """Take the breaker's value over, without saving."""
        self.consecutive_failures = health.consecutive_failures
        self.consecutive_unauthorized = health.consecutive_unauthorized
        self.window = [{**asdict(one), "start": one.start.isoformat()} for one in health.window]
        self.open_until = health.open_until
        self.cooldown_seconds = None if health.rest is None else health.rest.total_seconds()
        self.consecutive_successes = health.consecutive_successes
        self.closed_at = health.closed_at


BREAKER_COLUMNS = [
    "consecutive_failures", "consecutive_unauthorized", "window", "open_until", "cooldown_seconds",
    "consecutive_successes", "closed_at",
]  # fmt: skip


def _minute(row: dict[str, Any]) -> WindowBucket:
    return WindowBucket(
        start=datetime.fromisoformat(row["start"]),
        exchanges=row["exchanges"],
        unavailable=row["unavailable"],
    )
