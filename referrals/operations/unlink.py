"""Taking a campaign from a connection, and what becomes of what waits; must not know pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from connections.models import Campaign, Connection
from connections.operations.links import unlink_campaign
from referrals.models import Delivery
from referrals.models.deliveries import DeliveryQuerySet
from referrals.operations.cancel import cancel

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def waiting(campaign: Campaign, connection: Connection) -> DeliveryQuerySet:
    """The campaign's deliveries to the connection that wait for an attempt."""
    return Delivery.objects.pending().filter(campaign=campaign, connection=connection)


def unlink(
    campaign: Campaign, *, connection: Connection, by: User | None, cancel_waiting: bool = False
) -> int:
    """Send no more of the campaign's referrals there; raises NotLinked.

    What waits is still delivered, or else cancelled: how many is returned.
    """
    with transaction.atomic():
        unlink_campaign(campaign, connection=connection, by=by)
        return cancel(waiting(campaign, connection)) if cancel_waiting else 0
