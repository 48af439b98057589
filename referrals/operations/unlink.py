"""Unlink a campaign from a connection, and decide what becomes of the deliveries that wait."""

from __future__ import annotations

from django.db import transaction

from connections.models import Campaign, Connection
from connections.operations.history import Actor
from connections.operations.links import unlink_campaign
from referrals.models import Delivery
from referrals.models.deliveries import DeliveryQuerySet
from referrals.operations.cancel import cancel


def waiting(campaign: Campaign, connection: Connection) -> DeliveryQuerySet:
    """Return the campaign's deliveries to the connection that wait for an attempt."""
    return Delivery.objects.pending().filter(campaign=campaign, connection=connection)


def unlink(
    campaign: Campaign, *, connection: Connection, by: Actor, cancel_waiting: bool = False
) -> int:
    """Send no more of the campaign's referrals to the connection; raise NotLinked.

    Its deliveries that wait are still made, or else cancelled: return how many were cancelled.
    """
    with transaction.atomic():
        unlink_campaign(campaign, connection=connection, by=by)
        return cancel(waiting(campaign, connection), by=by) if cancel_waiting else 0
