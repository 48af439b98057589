"""Cancel deliveries that wait."""

from __future__ import annotations

from referrals import db_clock
from referrals.models.deliveries import DeliveryQuerySet
from referrals.statuses import DeliveryStatus


def cancel(deliveries: DeliveryQuerySet) -> int:
    """Let what waits never be sent; returns how many."""
    return (
        deliveries.pending()
        .filter(claimed_at=None)
        .update(status=DeliveryStatus.CANCELLED, due_at=None, finished_at=db_clock.now())
    )
