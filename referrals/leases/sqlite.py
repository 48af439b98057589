"""Claims on SQLite: since a transaction holds the only write lock from its beginning, what was read
is still true when it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, DateTimeField, F, Min, Subquery

from referrals.leases.values import Claim, ClaimResult, PendingConnection
from referrals.models import Delivery, DeliveryAttempt
from referrals.statuses import Trigger
from referrals.throttling.capacity import awake, due, in_flight

_MAX_PARAMETERS = 500


class SQLiteBackend:
    """SQLite's own way to see what waits, to take it and to complete it."""

    def waiting(self, now: datetime) -> list[PendingConnection]:
        """The connections that have something due and do not rest, the longest waiting first."""
        oldest = Subquery(
            due(now).order_by("due_at").values("due_at")[:1], output_field=DateTimeField()
        )
        rows = awake(now).alias(oldest=oldest).filter(oldest__isnull=False).order_by("oldest")
        told = rows.values_list(
            "pk", "limits", "breaker", "breaker__open_until", "breaker__closed_at"
        )
        counted = in_flight(now).values("connection")
        busy = {
            row["connection"]: (row["count"], row["since"])
            for row in counted.annotate(count=Count("pk"), since=Min("claimed_at"))
        }
        return [_pending_connection(row, *busy.get(row[0], (0, None))) for row in told]

    def take(self, shares: Mapping[int, int], *, now: datetime, lease_end: datetime) -> list[Claim]:
        """Pick the oldest of each connection, then move them all."""
        rows = [row for lane, share in shares.items() for row in self._oldest(lane, share, now)]
        lost = [row.pk for row in rows if row.claimed_at is not None]
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
            due_at=lease_end, claimed_at=now, attempt_number=F("attempt_number") + 1
        )
        Delivery.objects.filter(pk__in=lost).update(attempts_used=F("attempts_used") + 1)
        return [_claim(row) for row in rows]

    @transaction.atomic
    def complete(self, results: Sequence[ClaimResult]) -> set[int]:
        """Settle the deliveries that are still claimed under their number; add the attempts."""
        ours = self._still_ours(results)
        kept = [result for result in results if result.delivery_id in ours]
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE referrals_delivery SET status = %s, outcome = %s, attempts_used = %s,"
                " due_at = %s, finished_at = %s, next_trigger = %s, claimed_at = NULL"
                " WHERE id = %s",
                [_columns(result) for result in kept],
            )
        DeliveryAttempt.objects.bulk_create(
            DeliveryAttempt(delivery_id=result.delivery_id, number=result.number, **result.attempt)
            for result in kept
            if result.attempt is not None
        )
        return ours

    def _oldest(self, connection_id: int, share: int, now: datetime) -> Iterable[Delivery]:
        return (
            Delivery.objects.filter(connection=connection_id, due_at__lte=now)
            .select_related("referral__campaign")
            .order_by("due_at")[:share]
        )

    def _still_ours(self, results: Sequence[ClaimResult]) -> set[int]:
        numbers = {result.delivery_id: result.number for result in results}
        ids = list(numbers)
        found: set[int] = set()
        for start in range(0, len(ids), _MAX_PARAMETERS):
            rows = Delivery.objects.filter(
                pk__in=ids[start : start + _MAX_PARAMETERS], claimed_at__isnull=False
            ).values_list("pk", "attempt_number")
            found |= {pk for pk, number in rows if numbers[pk] == number}
        return found


def _pending_connection(
    row: tuple[Any, ...], count: int, oldest_in_flight_since: datetime | None
) -> PendingConnection:
    connection_id, limits, health, open_until, closed_at = row
    return PendingConnection(
        connection_id=connection_id,
        limits=limits,
        has_breaker=health is not None,
        open_until=open_until,
        closed_at=closed_at,
        in_flight=count,
        oldest_in_flight_since=oldest_in_flight_since,
    )


def _columns(result: ClaimResult) -> tuple[Any, ...]:
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


def _claim(row: Delivery) -> Claim:
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
