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

from config.queue.job_queue import wake_workers
from connections.core.errors import DescriptionError
from connections.core.messages import Exchange
from connections.core.response.rules import ResponseHandling, classify
from connections.core.spec import Limits
from connections.models import Campaign, Connection
from referrals import db_clock
from referrals.delivery.retry import Decision, build_policy, decide_next
from referrals.models import Delivery, DeliveryAttempt, Referral
from referrals.models.deliveries import DeliveryQuerySet
from referrals.statuses import DeliveryStatus, Trigger

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
    db_clock.adjust()
    now, count = db_clock.now(), 0
    for ids in _chunks(deliveries, _CHUNK if rate is None else max(1, int(rate))):
        due_at = now if rate is None else now + timedelta(seconds=count / rate)
        count += Delivery.objects.filter(pk__in=ids, claimed_at=None).update(
            status=DeliveryStatus.PENDING,
            due_at=due_at,
            next_trigger=Trigger.REPLAY,
            attempts_used=0,
            finished_at=None,
        )
    wake_workers()
    return count


def cancel(deliveries: DeliveryQuerySet) -> int:
    """Let what waits never be sent; returns how many."""
    return (
        deliveries.pending()
        .filter(claimed_at=None)
        .update(status=DeliveryStatus.CANCELLED, due_at=None, finished_at=db_clock.now())
    )


def reread(deliveries: QuerySet[Delivery]) -> Counter[str]:
    """Read the stored answers by today's rules, without sending; how many changed, by outcome."""
    changed: Counter[str] = Counter()
    readings: dict[int, ResponseHandling] = {}
    for ids in _chunks(deliveries.filter(status__in=REREADABLE), _CHUNK):
        for attempt in _last_answered_attempts(ids):
            connection = attempt.delivery.connection
            if connection.pk not in readings:
                readings[connection.pk] = _reading(connection)
            if _reclassify_attempt(attempt, readings[connection.pk]):
                changed[attempt.outcome] += 1
    if changed:
        wake_workers()
    return changed


def never_sent(
    campaign: Campaign, connection: Connection, *, since: datetime
) -> QuerySet[Referral]:
    """The campaign's past referrals that have no delivery to this connection."""
    past = Referral.objects.filter(campaign=campaign, accepted_at__gte=since)
    return past.exclude(deliveries__connection=connection)


def backfill(campaign: Campaign, connection: Connection, *, since: datetime) -> int:
    """Deliver past referrals of a linked campaign that never went there; returns how many."""
    db_clock.adjust()
    now, count = db_clock.now(), 0
    for ids in _chunks(never_sent(campaign, connection, since=since), _CHUNK):
        rows = [
            Delivery(
                referral_id=id_, connection=connection, campaign=campaign, due_at=now,
                created_at=now, next_trigger=Trigger.REPLAY,
            )
            for id_ in ids
        ]  # fmt: skip
        count += len(Delivery.objects.bulk_create(rows, ignore_conflicts=True))
    wake_workers()
    return count


def _chunks(rows: QuerySet[Delivery] | QuerySet[Referral], size: int) -> Iterator[list[Any]]:
    """The keys of all rows, in pieces; taken at once, because the rows change meanwhile."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _last_answered_attempts(delivery_ids: list[Any]) -> list[DeliveryAttempt]:
    attempts = (
        DeliveryAttempt.objects.filter(
            delivery__in=delivery_ids, response_status__isnull=False, delivery__claimed_at=None
        )
        .select_related("delivery__connection")
        .order_by("delivery", "number")
    )
    return list({attempt.delivery_id: attempt for attempt in attempts}.values())


def _reading(connection: Connection) -> ResponseHandling:
    try:
        return connection.reading()
    except DescriptionError:
        # Rules that are none today read nothing otherwise than before.
        return ResponseHandling()


def _reclassify_attempt(attempt: DeliveryAttempt, reading: ResponseHandling) -> bool:
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
    decision = decide_next(
        meaning,
        attempts_used=max(delivery.attempts_used - 1, 0),
        age=(db_clock.now() - delivery.created_at).total_seconds(),
        policy=build_policy(
            Limits.from_table(delivery.connection.limits), delivery.connection.on_unknown
        ),
        jitter=0.0,
    )
    attempt.outcome, attempt.reason = meaning.outcome.value, meaning.reason
    attempt.reference = meaning.reference
    attempt.rule = "" if meaning.rule is None else str(reading.rules[meaning.rule])
    return _save(attempt, decision)


def _save(attempt: DeliveryAttempt, decision: Decision) -> bool:
    """False where somebody else has done something about the delivery meanwhile: that counts."""
    now = db_clock.now()
    read = attempt.delivery
    with transaction.atomic():
        unchanged = Delivery.objects.filter(
            pk=read.pk, claimed_at=None, status=read.status, attempt_number=read.attempt_number
        )
        saved = unchanged.update(
            status=decision.status,
            outcome=attempt.outcome,
            attempts_used=decision.attempts_used,
            due_at=None if decision.wait is None else now + timedelta(seconds=decision.wait),
            finished_at=None if decision.status.is_pending else now,
            next_trigger=Trigger.RETRY,
        )
        if saved:
            attempt.save(update_fields=["outcome", "reason", "reference", "rule"])
    return bool(saved)
