"""What RQ runs: functions of two lines that call the pump; nothing else belongs here."""

from __future__ import annotations

from referrals.pump import deliver_due as pump_due
from referrals.queue import ring


def deliver_due() -> None:
    """Deliver what is due for a few seconds, and ring again if more is left."""
    if pump_due().has_more:
        ring()
