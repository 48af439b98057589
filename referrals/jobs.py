"""What RQ runs: functions of two lines that call others; nothing else belongs here."""

from __future__ import annotations

from connections.jobs import run_queued_test
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


def test_connection(connection_id: int, user_id: int | None) -> int:
    """Test a connection for a person who waits; the id of what was recorded."""
    heartbeats.beat(heartbeats.WORKER)
    return run_queued_test(connection_id, user_id)
