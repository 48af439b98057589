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
from referrals.breaker import Health, Minute


class ConnectionHealthQuerySet(ScopedQuerySet["ConnectionHealth"]):
    """Questions about connections' health."""

    account_path = "connection__account"


class ConnectionHealth(models.Model):
    """The breaker's memory of one connection, its token bucket, and when people were told what."""

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, primary_key=True, related_name="health"
    )
    failures_in_row = models.PositiveIntegerField(default=0)
    unauthorized_in_row = models.PositiveIntegerField(default=0)
    minutes = models.JSONField(default=list)
    resting_until = models.DateTimeField(null=True, blank=True)
    rest_seconds = models.FloatField(null=True, blank=True)
    good_in_row = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)
    tokens = models.FloatField(default=1)
    tokens_at = models.DateTimeField(null=True, blank=True)
    told_at = models.JSONField(default=dict, help_text="When each event was last mailed.")

    objects = ConnectionHealthQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "connection health"

    def __str__(self) -> str:
        return f"Health of {self.connection}"

    def as_value(self) -> Health:
        """The breaker's own kind of value."""
        return Health(
            failures_in_row=self.failures_in_row,
            unauthorized_in_row=self.unauthorized_in_row,
            minutes=tuple(_minute(row) for row in self.minutes),
            resting_until=self.resting_until,
            rest=None if self.rest_seconds is None else timedelta(seconds=self.rest_seconds),
            good_in_row=self.good_in_row,
            closed_at=self.closed_at,
        )

    def take(self, health: Health) -> None:
        """Take the breaker's value over, without saving."""
        self.failures_in_row = health.failures_in_row
        self.unauthorized_in_row = health.unauthorized_in_row
        self.minutes = [{**asdict(one), "start": one.start.isoformat()} for one in health.minutes]
        self.resting_until = health.resting_until
        self.rest_seconds = None if health.rest is None else health.rest.total_seconds()
        self.good_in_row = health.good_in_row
        self.closed_at = health.closed_at


BREAKER_COLUMNS = [
    "failures_in_row", "unauthorized_in_row", "minutes", "resting_until", "rest_seconds",
    "good_in_row", "closed_at",
]  # fmt: skip


def _minute(row: dict[str, Any]) -> Minute:
    return Minute(
        start=datetime.fromisoformat(row["start"]),
        exchanges=row["exchanges"],
        unavailable=row["unavailable"],
    )
