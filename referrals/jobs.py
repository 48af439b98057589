"""The jobs of this app that workers run; each calls one function."""

from __future__ import annotations

from referrals.delivery import pump
from referrals.enqueue import wake_workers
from referrals.monitoring.notifications import send_notification
from referrals.throttling.breaker import Event


def deliver_due() -> None:
    """Deliver what is due for a few seconds, and enqueue the next job if more is left."""
    if pump.deliver_due().has_more:
        wake_workers()


def notify(connection_id: int, event: str, reason: str) -> None:
    """Mail the people of a connection."""
    send_notification(connection_id, Event(event), reason)
