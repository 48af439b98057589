"""What RQ runs: functions of two lines that call others; nothing else belongs here."""

from __future__ import annotations

from config.queue import heartbeats
from config.queue.job_queue import wake_workers
from connections.jobs import run_queued_test
from referrals.delivery.pump import deliver_due as pump_due
from referrals.monitoring.notifications import send_notification
from referrals.throttling.breaker import Event


def deliver_due() -> None:
    """Deliver what is due for a few seconds, and ring again if more is left."""
    heartbeats.record_heartbeat(heartbeats.WORKER)
    if pump_due().has_more:
        wake_workers()


def tell(connection_id: int, event: str, reason: str) -> None:
    """Mail the people of a connection."""
    send_notification(connection_id, Event(event), reason)


def test_connection(connection_id: int, user_id: int | None) -> int:
    """Test a connection for a person who waits; the id of what was recorded."""
    heartbeats.record_heartbeat(heartbeats.WORKER)
    return run_queued_test(connection_id, user_id)
