"""Read stored responses by today's rules, without sending."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from config.queue.job_queue import wake_workers
from connections.core.errors import DescriptionError
from connections.core.messages import Exchange
from connections.core.response.rules import ResponseHandling, classify
from connections.core.spec import Limits
from connections.models import Connection
from referrals import db_clock
from referrals.delivery.retry import Decision, build_policy, decide_next
from referrals.models import Delivery, DeliveryAttempt
from referrals.operations.chunks import key_chunks
from referrals.statuses import DeliveryStatus, Trigger

REREADABLE = (
    DeliveryStatus.UNRECOGNISED,
    DeliveryStatus.REJECTED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.DUPLICATE,
    DeliveryStatus.SUPPRESSED,
)
"""Where an answer was received and no attempt is to come by itself."""


def reread(deliveries: QuerySet[Delivery]) -> Counter[str]:
    """Read the stored answers by today's rules, without sending; how many changed, by outcome."""
    changed: Counter[str] = Counter()
    readings: dict[int, ResponseHandling] = {}
    for ids in key_chunks(deliveries.filter(status__in=REREADABLE)):
        for attempt in _last_answered_attempts(ids):
            connection = attempt.delivery.connection
            if connection.pk not in readings:
                readings[connection.pk] = _reading(connection)
            if _reclassify_attempt(attempt, readings[connection.pk]):
                changed[attempt.outcome] += 1
    if changed:
        wake_workers()
    return changed


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
