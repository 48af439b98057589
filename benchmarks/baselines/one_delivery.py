"""Deliver one delivery, as a job or task per delivery would: read, send and write through the ORM.

It makes the same attempt and writes the same rows as the pump. It leaves out what a queue of jobs
would need in order to lose nothing: it writes no lease before it sends. A connection is prepared
once per process.
"""

from __future__ import annotations

from functools import cache

from django.db import transaction
from django.utils import timezone

from connections.models import Connection
from connections.transport import Client
from connections.transport.shared import shared_client
from referrals.delivery.connection_sender import ConnectionSender
from referrals.leases import Claim
from referrals.models import Delivery, DeliveryAttempt
from referrals.statuses import Trigger


@cache
def _sender(connection_id: int) -> ConnectionSender:
    return ConnectionSender(Connection.objects.with_everything().get(pk=connection_id))


def deliver(delivery_id: int) -> None:
    """Send the delivery and record the attempt."""
    delivery = Delivery.objects.select_related("referral__campaign").get(pk=delivery_id)
    client: Client = shared_client()
    result = _sender(delivery.connection_id).deliver(client, _claim(delivery)).result
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery, number=result.number, **(result.attempt or {})
        )
        delivery.status, delivery.outcome = result.status.value, result.outcome
        delivery.attempt_number, delivery.attempts_used = result.number, result.attempts_used
        delivery.due_at, delivery.finished_at = result.due_at, result.finished_at
        delivery.save()


def _claim(delivery: Delivery) -> Claim:
    return Claim(
        delivery_id=delivery.pk,
        number=delivery.attempt_number + 1,
        connection_id=delivery.connection_id,
        referral_id=delivery.referral_id,
        attempts_used=delivery.attempts_used,
        trigger=Trigger(delivery.next_trigger),
        created_at=timezone.now(),
        previous_claimed_at=None,
        campaign_kind=delivery.referral.campaign.kind,
        attributes=delivery.referral.attributes,
    )
