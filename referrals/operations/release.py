"""Letting a held, paused or resting connection go on; must not know pages or commands."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.queue.job_queue import notify, wake_workers
from connections.core.response.outcomes import Outcome
from connections.models import Connection
from connections.operations.states import release_connection
from referrals import db_clock
from referrals.models import BreakerState, Delivery
from referrals.models.breaker_state import BREAKER_COLUMNS
from referrals.throttling import breaker
from referrals.throttling.breaker import Event


def release(connection: Connection) -> int:
    """Send again, gently at first; returns how many deliveries wait for it.

    What waits because its credentials were refused is due at once: that they are good now is what
    the person who releases it says.
    """
    db_clock.adjust()
    now = db_clock.now()
    was_held = release_connection(connection)
    _forget(connection, now)
    waiting = Delivery.objects.pending().filter(connection=connection, claimed_at=None)
    waiting.filter(outcome=Outcome.UNAUTHORIZED).update(due_at=now)
    wake_workers()
    if was_held:
        notify(connection.pk, Event.RELEASED, "")
    return waiting.count()


def _forget(connection: Connection, now: datetime) -> None:
    """What was learned before counts no more, and another hold is news again."""
    BreakerState.objects.bulk_create([BreakerState(pk=connection.pk)], ignore_conflicts=True)
    with transaction.atomic():
        row = BreakerState.objects.select_for_update().get(pk=connection.pk)
        row.take(breaker.well(now))
        row.notified_at.pop(Event.HELD, None)
        row.save(update_fields=[*BREAKER_COLUMNS, "notified_at"])
