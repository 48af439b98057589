"""Letting a held, paused or resting connection go on; must not know pages or commands."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.http.outcomes import Outcome
from connections.models import Connection
from connections.services import release_connection
from referrals import breaker
from referrals.breaker import Event
from referrals.claims import clock
from referrals.models import ConnectionHealth, Delivery
from referrals.models.health import BREAKER_COLUMNS
from referrals.queue import announce, ring


def release(connection: Connection) -> int:
    """Send again, gently at first; returns how many deliveries wait for it.

    What waits because its credentials were refused is due at once: that they are good now is what
    the person who releases it says.
    """
    clock.adjust()
    now = clock.now()
    was_held = release_connection(connection)
    _forget(connection, now)
    waiting = Delivery.objects.pending().filter(connection=connection, claimed_at=None)
    waiting.filter(outcome=Outcome.UNAUTHORIZED).update(due_at=now)
    ring()
    if was_held:
        announce(connection.pk, Event.RELEASED, "")
    return waiting.count()


def _forget(connection: Connection, now: datetime) -> None:
    """What was learned before counts no more, and another hold is news again."""
    ConnectionHealth.objects.bulk_create(
        [ConnectionHealth(pk=connection.pk)], ignore_conflicts=True
    )
    with transaction.atomic():
        row = ConnectionHealth.objects.select_for_update().get(pk=connection.pk)
        row.take(breaker.well(now))
        row.told_at.pop(Event.HELD, None)
        row.save(update_fields=[*BREAKER_COLUMNS, "told_at"])
