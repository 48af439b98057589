"""Leases on SQLite.

A transaction holds the only write lock from its beginning, so what was read is still true when it
is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Min, OuterRef, Q, Subquery

from referrals.leases.values import Claim, ClaimResult
from referrals.models import Delivery, DeliveryAttempt
from referrals.models.deliveries import DeliveryQuerySet
from referrals.models.sendable import sendable_connections
from referrals.statuses import Trigger
from referrals.throttling.capacity import PendingConnection

_MAX_PARAMETERS = 500
_NONE_IN_FLIGHT: dict[str, Any] = {"in_flight": 0, "oldest_in_flight_since": None}

_COMPLETE = """
UPDATE referrals_delivery
SET status = %s, outcome = %s, attempts_used = %s, due_at = %s, finished_at = %s, next_trigger = %s,
    claimed_at = NULL
WHERE id = %s
"""


class SQLiteBackend:
    """The SQL of leases on SQLite."""

    def pending_connections(self, now: datetime) -> list[PendingConnection]:
        """Return the connections with something due that may be sent to, the longest waiting first.

        It locks nothing.
        """
        due = Delivery.objects.due(now).filter(connection=OuterRef("pk")).order_by("due_at")
        pending = sendable_connections(now).alias(oldest_due=Subquery(due.values("due_at")[:1]))
        rows = pending.filter(oldest_due__isnull=False).order_by("oldest_due").values(
            "limits",
            connection_id=F("pk"),
            has_breaker=Q(breaker__isnull=False),
            open_until=F("breaker__open_until"),
            closed_at=F("breaker__closed_at"),
        )  # fmt: skip
        claims = _count_in_flight(now)
        return [
            PendingConnection(**row, **claims.get(row["connection_id"], _NONE_IN_FLIGHT))
            for row in rows
        ]

    def take(self, shares: Mapping[int, int], *, now: datetime, lease_end: datetime) -> list[Claim]:
        """Claim each connection's share of what is due, the oldest first, and return the claims."""
        rows = [row for pk, share in shares.items() for row in _oldest_due(pk, now)[:share]]
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
            due_at=lease_end, claimed_at=now, attempt_number=F("attempt_number") + 1
        )
        lost = [row.pk for row in rows if row.claimed_at is not None]
        Delivery.objects.filter(pk__in=lost).update(attempts_used=F("attempts_used") + 1)
        return [_build_claim(row) for row in rows]

    @transaction.atomic
    def complete(self, results: Sequence[ClaimResult]) -> set[int]:
        """Update the deliveries that are still claimed under their number; insert their attempts.

        Return the ids of these deliveries.
        """
        recorded = _still_claimed(results)
        kept = [result for result in results if result.delivery_id in recorded]
        with connection.cursor() as cursor:
            cursor.executemany(_COMPLETE, [_parameters(result) for result in kept])
        DeliveryAttempt.objects.bulk_create(
            DeliveryAttempt(delivery_id=result.delivery_id, number=result.number, **result.attempt)
            for result in kept
            if result.attempt is not None
        )
        return recorded


def _count_in_flight(now: datetime) -> dict[int, dict[str, Any]]:
    """Return how many deliveries of each connection are in flight, if any, and since when."""
    claims = Delivery.objects.in_flight(now).order_by().values_list("connection")
    return {
        connection_id: {"in_flight": count, "oldest_in_flight_since": since}
        for connection_id, count, since in claims.annotate(Count("pk"), Min("claimed_at"))
    }


def _oldest_due(connection_id: int, now: datetime) -> DeliveryQuerySet:
    due = Delivery.objects.due(now).filter(connection=connection_id)
    return due.select_related("referral__campaign").order_by("due_at")


def _still_claimed(results: Sequence[ClaimResult]) -> set[int]:
    """Return the ids of the deliveries that are claimed under the number of their result."""
    numbers = {result.delivery_id: result.number for result in results}
    ids = list(numbers)
    found: set[int] = set()
    for start in range(0, len(ids), _MAX_PARAMETERS):
        rows = Delivery.objects.filter(
            pk__in=ids[start : start + _MAX_PARAMETERS], claimed_at__isnull=False
        ).values_list("pk", "attempt_number")
        found |= {pk for pk, number in rows if numbers[pk] == number}
    return found


def _parameters(result: ClaimResult) -> tuple[Any, ...]:
    adapt = connection.ops.adapt_datetimefield_value
    return (
        result.status.value,
        result.outcome,
        result.attempts_used,
        adapt(result.due_at),
        adapt(result.finished_at),
        result.next_trigger.value,
        result.delivery_id,
    )


def _build_claim(row: Delivery) -> Claim:
    """Return the claim of a row as it was read before it was claimed."""
    return Claim(
        delivery_id=row.pk,
        number=row.attempt_number + 1,
        connection_id=row.connection_id,
        referral_id=row.referral_id,
        attempts_used=row.attempts_used + (row.claimed_at is not None),
        trigger=Trigger(row.next_trigger),
        created_at=row.created_at,
        previous_claimed_at=row.claimed_at,
        campaign_kind=row.referral.campaign.kind,
        attributes=row.referral.attributes,
    )
