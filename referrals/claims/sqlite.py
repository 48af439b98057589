"""Claims on SQLite: since a transaction holds the only write lock from its beginning, what was read
is still true when it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, DateTimeField, F, Min, Subquery

from referrals.claims.lanes import awake, due, in_hand
from referrals.claims.values import Claim, Completion, Waiting
from referrals.models import Delivery, DeliveryAttempt
from referrals.states import Cause

_MOST_IN_ONE_STATEMENT = 500


class Backend:
    """SQLite's own way to see what waits, to take it and to complete it."""

    def waiting(self, now: datetime) -> list[Waiting]:
        """The connections that have something due and do not rest, the longest waiting first."""
        oldest = Subquery(
            due(now).order_by("due_at").values("due_at")[:1], output_field=DateTimeField()
        )
        rows = awake(now).alias(oldest=oldest).filter(oldest__isnull=False).order_by("oldest")
        told = rows.values_list(
            "pk", "limits", "health", "health__resting_until", "health__closed_at"
        )
        counted = in_hand(now).values("connection")
        busy = {
            row["connection"]: (row["count"], row["since"])
            for row in counted.annotate(count=Count("pk"), since=Min("claimed_at"))
        }
        return [_waiting(row, *busy.get(row[0], (0, None))) for row in told]

    def take(self, shares: Mapping[int, int], *, now: datetime, lease_end: datetime) -> list[Claim]:
        """Pick the oldest of each connection, then move them all."""
        rows = [row for lane, share in shares.items() for row in self._oldest(lane, share, now)]
        lost = [row.pk for row in rows if row.claimed_at is not None]
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
            due_at=lease_end, claimed_at=now, attempt_number=F("attempt_number") + 1
        )
        Delivery.objects.filter(pk__in=lost).update(step=F("step") + 1)
        return [_claim(row) for row in rows]

    @transaction.atomic
    def complete(self, completions: Sequence[Completion]) -> set[int]:
        """Settle the deliveries that are still claimed under their number; add the attempts."""
        ours = self._still_ours(completions)
        kept = [completion for completion in completions if completion.delivery_id in ours]
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE referrals_delivery SET status = %s, outcome = %s, step = %s, due_at = %s,"
                " settled_at = %s, next_cause = %s, claimed_at = NULL WHERE id = %s",
                [_columns(completion) for completion in kept],
            )
        DeliveryAttempt.objects.bulk_create(
            DeliveryAttempt(
                delivery_id=completion.delivery_id, number=completion.number, **completion.attempt
            )
            for completion in kept
            if completion.attempt is not None
        )
        return ours

    def _oldest(self, connection_id: int, share: int, now: datetime) -> Iterable[Delivery]:
        return (
            Delivery.objects.filter(connection=connection_id, due_at__lte=now)
            .select_related("referral__campaign")
            .order_by("due_at")[:share]
        )

    def _still_ours(self, completions: Sequence[Completion]) -> set[int]:
        numbers = {completion.delivery_id: completion.number for completion in completions}
        ids = list(numbers)
        found: set[int] = set()
        for start in range(0, len(ids), _MOST_IN_ONE_STATEMENT):
            rows = Delivery.objects.filter(
                pk__in=ids[start : start + _MOST_IN_ONE_STATEMENT], claimed_at__isnull=False
            ).values_list("pk", "attempt_number")
            found |= {pk for pk, number in rows if numbers[pk] == number}
        return found


def _waiting(row: tuple[Any, ...], count: int, thinks_since: datetime | None) -> Waiting:
    connection_id, limits, health, resting_until, closed_at = row
    return Waiting(
        connection_id=connection_id,
        limits=limits,
        has_health=health is not None,
        resting_until=resting_until,
        closed_at=closed_at,
        in_hand=count,
        thinks_since=thinks_since,
    )


def _columns(completion: Completion) -> tuple[Any, ...]:
    adapt = connection.ops.adapt_datetimefield_value
    return (
        completion.status.value,
        completion.outcome,
        completion.step,
        adapt(completion.due_at),
        adapt(completion.settled_at),
        completion.next_cause.value,
        completion.delivery_id,
    )


def _claim(row: Delivery) -> Claim:
    return Claim(
        delivery_id=row.pk,
        number=row.attempt_number + 1,
        connection_id=row.connection_id,
        referral_id=row.referral_id,
        step=row.step + (row.claimed_at is not None),
        cause=Cause(row.next_cause),
        created_at=row.created_at,
        lost_at=row.claimed_at,
        campaign_kind=row.referral.campaign.kind,
        attributes=row.referral.attributes,
    )
