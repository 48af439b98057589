"""Replay deliveries: another attempt for each, asked for by a person."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from connections.operations.history import Actor
from referrals import db_clock
from referrals.enqueue import wake_workers
from referrals.models import Delivery
from referrals.operations.chunks import key_chunks
from referrals.operations.recorded_update import update_recorded
from referrals.statuses import DeliveryStatus, Trigger


def replay(deliveries: QuerySet[Delivery], *, by: Actor, rate: float | None = None) -> int:
    """Make another attempt of each delivery due, under the same key, and return how many.

    It takes the place of an attempt that was to come by itself. `rate` spreads them: so many a
    second. A delivery in flight is left alone.
    """
    db_clock.adjust()
    now, count = db_clock.now(), 0
    for ids in key_chunks(deliveries, None if rate is None else max(1, int(rate))):
        due_at = now if rate is None else now + timedelta(seconds=count / rate)
        count += update_recorded(
            Delivery.objects.filter(pk__in=ids, claimed_at=None),
            by=by,
            message="Replayed.",
            status=DeliveryStatus.PENDING,
            due_at=due_at,
            next_trigger=Trigger.REPLAY,
            attempts_used=0,
            finished_at=None,
        )
    wake_workers()
    return count
