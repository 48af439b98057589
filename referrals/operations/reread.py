"""Read stored responses by today's rules, without sending."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from connections.core.errors import DescriptionError
from connections.core.messages import Exchange
from connections.core.response.matching import Classification, ResponseHandling, classify
from connections.core.spec import Limits
from connections.mapping.to_spec import build_response_handling, build_rules
from connections.models import Connection
from connections.operations.history import Actor, record_changes
from referrals import db_clock
from referrals.delivery.retry import Decision, build_policy, decide_next
from referrals.enqueue import wake_workers
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
"""Where a response was received and no attempt is to come by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reclassified:
    """An attempt with its new outcome, not saved yet, and what it decides for its delivery."""

    attempt: DeliveryAttempt
    before: str
    decision: Decision

    @property
    def message(self) -> str:
        """What the delivery's history says."""
        return f"Re-read: {self.before} → {self.attempt.outcome}."


def reread(deliveries: QuerySet[Delivery], *, by: Actor) -> Counter[str]:
    """Read the stored responses by today's rules, without sending.

    Only deliveries whose outcome is another one now are changed and get an entry in their history.
    Return how many they are, by outcome.
    """
    changed: Counter[str] = Counter()
    handlings: dict[int, ResponseHandling] = {}
    for ids in key_chunks(deliveries.filter(status__in=REREADABLE)):
        changed += _save_all(list(_reclassify_all(ids, handlings)), by=by)
    if changed:
        wake_workers()
    return changed


def _reclassify_all(
    delivery_ids: list[Any], handlings: dict[int, ResponseHandling]
) -> Iterator[_Reclassified]:
    for attempt in _last_answered_attempts(delivery_ids):
        connection = attempt.delivery.connection
        if connection.pk not in handlings:
            handlings[connection.pk] = _build_handling(connection)
        reclassified = _reclassify(attempt, handlings[connection.pk])
        if reclassified is not None:
            yield reclassified


def _last_answered_attempts(delivery_ids: list[Any]) -> list[DeliveryAttempt]:
    attempts = (
        DeliveryAttempt.objects.filter(
            delivery__in=delivery_ids, response_status__isnull=False, delivery__claimed_at=None
        )
        .select_related("delivery__connection")
        .order_by("delivery", "number")
    )
    return list({attempt.delivery_id: attempt for attempt in attempts}.values())


def _build_handling(connection: Connection) -> ResponseHandling:
    try:
        return build_response_handling(connection, build_rules(connection))
    except DescriptionError:
        # Wrong rules match nothing.
        return ResponseHandling()


def _reclassify(attempt: DeliveryAttempt, handling: ResponseHandling) -> _Reclassified | None:
    """Set the attempt's new outcome without saving it; return None if it has it already."""
    meaning = classify(handling, _exchange(attempt))
    before = attempt.outcome
    if meaning.outcome == before:
        return None
    attempt.outcome, attempt.reason = meaning.outcome.value, meaning.reason
    attempt.reference = meaning.reference
    attempt.rule = "" if meaning.rule is None else str(handling.rules[meaning.rule])
    return _Reclassified(
        attempt=attempt, before=before, decision=_decide(attempt.delivery, meaning)
    )


def _exchange(attempt: DeliveryAttempt) -> Exchange:
    return Exchange(
        request=attempt.request(),
        response=attempt.response(),
        finished_at=attempt.started_at + timedelta(milliseconds=attempt.duration_ms or 0),
    )


def _decide(delivery: Delivery, meaning: Classification) -> Decision:
    connection = delivery.connection
    return decide_next(
        meaning,
        attempts_used=max(delivery.attempts_used - 1, 0),
        age=(db_clock.now() - delivery.created_at).total_seconds(),
        policy=build_policy(Limits.from_table(connection.limits), connection.on_unknown),
        jitter=0.0,
    )


def _save_all(every: list[_Reclassified], *, by: Actor) -> Counter[str]:
    """Save them and their history in one transaction; return how many were saved, by outcome."""
    keys: defaultdict[str, list[int]] = defaultdict(list)
    saved: Counter[str] = Counter()
    with transaction.atomic():
        for one in every:
            if _save(one.attempt, one.decision):
                keys[one.message].append(one.attempt.delivery_id)
                saved[one.attempt.outcome] += 1
        for message, changed in keys.items():
            record_changes(Delivery, changed, by=by, message=message)
    return saved


def _save(attempt: DeliveryAttempt, decision: Decision) -> bool:
    """Save the attempt and its delivery; return False if somebody changed that meanwhile."""
    now = db_clock.now()
    read = attempt.delivery
    unchanged = Delivery.objects.filter(
        pk=read.pk, claimed_at=None, status=read.status, attempt_number=read.attempt_number
    )
    is_saved = unchanged.update(
        status=decision.status,
        outcome=attempt.outcome,
        attempts_used=decision.attempts_used,
        due_at=None if decision.wait is None else now + timedelta(seconds=decision.wait),
        finished_at=None if decision.status.is_pending else now,
        next_trigger=Trigger.RETRY,
    )
    if is_saved:
        attempt.save(update_fields=["outcome", "reason", "reference", "rule"])
    return bool(is_saved)
