"""Release a connection that is held or paused, or whose breaker is open."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.core.response.outcomes import Outcome
from connections.models import Connection
from connections.operations.history import Actor, record_change
from connections.operations.pause_hold_release import release_connection
from referrals import db_clock
from referrals.enqueue import notify, wake_workers
from referrals.models import BreakerState, Delivery
from referrals.operations.recorded_update import update_recorded
from referrals.throttling.breaker import Event, closed
from referrals.throttling.breaker_rows import from_domain, to_domain


def release(connection: Connection, *, by: Actor) -> int:
    """Send again, gently at first, and return how many deliveries wait for it.

    What waits because its credentials were refused becomes due at once: that they are good now is
    what the person who releases it says.
    """
    db_clock.adjust()
    now = db_clock.now()
    waiting = Delivery.objects.pending().filter(connection=connection, claimed_at=None)
    with transaction.atomic():
        # The breaker's row first, as workers lock it before they hold a connection.
        was_open = _close_breaker(connection, now)
        was_stopped = release_connection(connection, by=by)
        if was_open and not was_stopped:
            record_change(connection, by=by, message="Released.")
        update_recorded(
            waiting.filter(outcome=Outcome.UNAUTHORIZED),
            by=by,
            message="Due again: its connection was released.",
            due_at=now,
        )
    wake_workers()
    if was_stopped:
        notify(connection.pk, Event.RELEASED, "")
    return waiting.count()


def _close_breaker(connection: Connection, now: datetime) -> bool:
    """Close the breaker and clear the time of the last notification of a hold.

    Return False if it was closed already.
    """
    BreakerState.objects.insert_missing([connection.pk])
    [row] = BreakerState.objects.lock([connection.pk])
    row.notified_at.pop(Event.HELD, None)
    columns = {**from_domain(closed(now)), "notified_at": row.notified_at}
    BreakerState.objects.filter(pk=connection.pk).update(**columns)
    return not to_domain(row).is_closed
