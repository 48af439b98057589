"""The stored state of each connection's breaker and token bucket.

It is a row of its own, so that a person who saves the connection's form never overwrites what
workers recorded meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import models

from connections.models import Connection
from connections.models.querysets import ScopedQuerySet


class BreakerStateQuerySet(ScopedQuerySet["BreakerState"]):
    """Querysets for breaker states."""

    account_path = "connection__account"

    def open(self, now: datetime) -> BreakerStateQuerySet:
        """Return the rows whose breaker is open now."""
        return self.filter(open_until__gt=now)

    def insert_missing(self, connection_ids: Iterable[int]) -> None:
        """Insert the initial row of each of these connections that has none."""
        self.bulk_create([BreakerState(pk=pk) for pk in connection_ids], ignore_conflicts=True)

    def lock(
        self, connection_ids: Collection[int], *, skip_locked: bool = False
    ) -> list[BreakerState]:
        """Lock the rows of these connections until the transaction ends, and return them.

        Wait for rows that another transaction has locked, or leave them out. Rows are locked in one
        order everywhere, so that two workers never wait for each other.
        """
        rows = self.filter(pk__in=connection_ids).order_by("pk")
        return list(rows.select_for_update(skip_locked=skip_locked))


class BreakerState(models.Model):
    """One connection's breaker, its token bucket, and when people were notified of what.

    `referrals.throttling.breaker` says what the columns up to `closed_at` mean.
    """

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
