"""What RQ runs: functions of two lines that call others; nothing else belongs here."""

from __future__ import annotations

from referrals import heartbeats
from referrals.breaker import Event
from referrals.notices import tell_people
from referrals.pump import deliver_due as pump_due
from referrals.queue import ring


def deliver_due() -> None:
    """Deliver what is due for a few seconds, and ring again if more is left."""
    heartbeats.beat(heartbeats.WORKER)
    if pump_due().has_more:
        ring()


def tell(connection_id: int, event: str, reason: str) -> None:
    """Mail the people of a connection."""
    tell_people(connection_id, Event(event), reason)
