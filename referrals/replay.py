"""What a person may ask of deliveries: another attempt, another reading, no attempt at all.

Must not know who asks or how the deliveries were chosen. What a worker has in hand is left alone:
its result comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from connections.http.errors import DescriptionError
from connections.http.messages import Exchange
from connections.http.rules import Reading, classify
from connections.http.spec import Limits
from connections.models import Campaign, Connection
from referrals.claims import clock
from referrals.models import Delivery, DeliveryAttempt, Referral
from referrals.models.deliveries import DeliveryQuerySet
from referrals.queue import ring
from referrals.schedule import Settlement, policy_of, settle
from referrals.states import Cause, DeliveryStatus

_CHUNK = 500

REREADABLE = (
    DeliveryStatus.UNRECOGNISED,
    DeliveryStatus.REJECTED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.DUPLICATE,
    DeliveryStatus.SUPPRESSED,
)
"""Where an answer was received and no attempt is to come by itself."""


def replay(deliveries: QuerySet[Delivery], *, rate: float | None = None) -> int:
    """Ask for another attempt of each delivery, under the same key; returns how many.

    It takes the place of an attempt that was to come by itself. `rate` spreads them: so many a
    second.
    """
    clock.adjust()
    now, count = clock.now(), 0
    for ids in _chunks(deliveries, _CHUNK if rate is None else max(1, int(rate))):
        due_at = now if rate is None else now + timedelta(seconds=count / rate)
        count += Delivery.objects.filter(pk__in=ids, claimed_at=None).update(
            status=DeliveryStatus.PENDING,
            due_at=due_at,
            next_cause=Cause.REPLAY,
            step=0,
            settled_at=None,
        )
    ring()
    return count


def cancel(deliveries: DeliveryQuerySet) -> int:
    """Let what waits never be sent; returns how many."""
    return (
        deliveries.pending()
        .filter(claimed_at=None)
        .update(status=DeliveryStatus.CANCELLED, due_at=None, settled_at=clock.now())
    )


def reread(deliveries: QuerySet[Delivery]) -> Counter[str]:
    """Read the stored answers by today's rules, without sending; how many changed, by outcome."""
    changed: Counter[str] = Counter()
    readings: dict[int, Reading] = {}
    for ids in _chunks(deliveries.filter(status__in=REREADABLE), _CHUNK):
        for attempt in _last_answers(ids):
            connection = attempt.delivery.connection
            if connection.pk not in readings:
                readings[connection.pk] = _reading(connection)
            if _reread_one(attempt, readings[connection.pk]):
                changed[attempt.outcome] += 1
    if changed:
        ring()
    return changed


def never_sent(
    campaign: Campaign, connection: Connection, *, since: datetime
) -> QuerySet[Referral]:
    """The campaign's past referrals that have no delivery to this connection."""
    past = Referral.objects.filter(campaign=campaign, accepted_at__gte=since)
    return past.exclude(deliveries__connection=connection)


def backfill(campaign: Campaign, connection: Connection, *, since: datetime) -> int:
    """Deliver past referrals of a linked campaign that never went there; returns how many."""
    clock.adjust()
    now, count = clock.now(), 0
    for ids in _chunks(never_sent(campaign, connection, since=since), _CHUNK):
        rows = [
            Delivery(
                referral_id=id_, connection=connection, campaign=campaign, due_at=now,
                created_at=now, next_cause=Cause.REPLAY,
            )
            for id_ in ids
        ]  # fmt: skip
        count += len(Delivery.objects.bulk_create(rows, ignore_conflicts=True))
    ring()
    return count


def _chunks(rows: QuerySet[Delivery] | QuerySet[Referral], size: int) -> Iterator[list[Any]]:
    """The keys of all rows, in pieces; taken at once, because the rows change meanwhile."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _last_answers(delivery_ids: list[Any]) -> list[DeliveryAttempt]:
    attempts = (
        DeliveryAttempt.objects.filter(
            delivery__in=delivery_ids, response_status__isnull=False, delivery__claimed_at=None
        )
        .select_related("delivery__connection")
        .order_by("delivery", "number")
    )
    return list({attempt.delivery_id: attempt for attempt in attempts}.values())


def _reading(connection: Connection) -> Reading:
    try:
        return connection.reading()
    except DescriptionError:
        # Rules that are none today read nothing otherwise than before.
        return Reading()


def _reread_one(attempt: DeliveryAttempt, reading: Reading) -> bool:
    meaning = classify(
        reading,
        Exchange(
            request=attempt.request(),
            response=attempt.response(),
            finished_at=attempt.started_at + timedelta(milliseconds=attempt.duration_ms or 0),
        ),
    )
    if meaning.outcome == attempt.outcome:
        return False
    delivery = attempt.delivery
    settlement = settle(
        meaning,
        step=max(delivery.step - 1, 0),
        age=(clock.now() - delivery.created_at).total_seconds(),
        policy=policy_of(
            Limits.from_table(delivery.connection.limits), delivery.connection.on_unknown
        ),
        jitter=0.0,
    )
    attempt.outcome, attempt.reason = meaning.outcome.value, meaning.reason
    attempt.reference = meaning.reference
    attempt.rule = "" if meaning.rule is None else str(reading.rules[meaning.rule])
    return _save(attempt, settlement)


def _save(attempt: DeliveryAttempt, settlement: Settlement) -> bool:
    """False where somebody else has done something about the delivery meanwhile: that counts."""
    now = clock.now()
    read = attempt.delivery
    with transaction.atomic():
        unchanged = Delivery.objects.filter(
            pk=read.pk, claimed_at=None, status=read.status, attempt_number=read.attempt_number
        )
        saved = unchanged.update(
            status=settlement.status,
            outcome=attempt.outcome,
            step=settlement.step,
            due_at=None if settlement.wait is None else now + timedelta(seconds=settlement.wait),
            settled_at=None if settlement.status.is_pending else now,
            next_cause=Cause.RETRY,
        )
        if saved:
            attempt.save(update_fields=["outcome", "reason", "reference", "rule"])
    return bool(saved)
