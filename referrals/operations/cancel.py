"""Cancel deliveries that wait."""

from __future__ import annotations

from django.db.models import QuerySet

from connections.operations.history import Actor
from referrals import db_clock
from referrals.models import Delivery
from referrals.operations.chunks import key_chunks
from referrals.operations.recorded_update import update_recorded
from referrals.statuses import DeliveryStatus


def cancel(deliveries: QuerySet[Delivery], *, by: Actor) -> int:
    """Cancel those of the deliveries that wait, and return how many.

    A delivery in flight is left alone.
    """
    waiting = {"status": DeliveryStatus.PENDING, "claimed_at": None}
    return sum(
        update_recorded(
            Delivery.objects.filter(pk__in=ids, **waiting),
            by=by,
            message="Cancelled.",
            status=DeliveryStatus.CANCELLED,
            due_at=None,
            finished_at=db_clock.now(),
        )
        for ids in key_chunks(deliveries.filter(**waiting))
    )
