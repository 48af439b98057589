"""One delivery, as a job or a task for each would do it: read, send, write by Django's models.

It is the product's own attempt, and the very rows that the pump writes. It is spared what a queue
of jobs would have to add to lose nothing: no lease is written before it sends, and a connection is
prepared once for the process.
"""

from __future__ import annotations

from functools import cache

from django.db import transaction
from django.utils import timezone

from connections.client import Client
from connections.models import Connection
from connections.outbound import shared_client
from referrals.channel import Channel
from referrals.claims import Claim
from referrals.models import Delivery, DeliveryAttempt
from referrals.states import Cause


@cache
def _channel(connection_id: int) -> Channel:
    return Channel(Connection.objects.with_everything().get(pk=connection_id))


def deliver(delivery_id: int) -> None:
    """Send it and record it."""
    delivery = Delivery.objects.select_related("referral__campaign").get(pk=delivery_id)
    client: Client = shared_client()
    completion = _channel(delivery.connection_id).deliver(client, _claim(delivery)).completion
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery, number=completion.number, **(completion.attempt or {})
        )
        delivery.status, delivery.outcome = completion.status.value, completion.outcome
        delivery.attempt_number, delivery.step = completion.number, completion.step
        delivery.due_at, delivery.settled_at = completion.due_at, completion.settled_at
        delivery.save()


def _claim(delivery: Delivery) -> Claim:
    return Claim(
        delivery_id=delivery.pk,
        number=delivery.attempt_number + 1,
        connection_id=delivery.connection_id,
        referral_id=delivery.referral_id,
        step=delivery.step,
        cause=Cause(delivery.next_cause),
        created_at=timezone.now(),
        lost_at=None,
        campaign_kind=delivery.referral.campaign.kind,
        attributes=delivery.referral.attributes,
    )
