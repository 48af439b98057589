"""Deliver past referrals of a campaign to a new link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from connections.models import Campaign, Connection
from connections.operations.history import Actor, record_change, record_changes
from referrals import db_clock
from referrals.enqueue import wake_workers
from referrals.models import Delivery, Referral
from referrals.operations.chunks import key_chunks
from referrals.statuses import Trigger


def never_sent(
    campaign: Campaign, connection: Connection, *, since: datetime
) -> QuerySet[Referral]:
    """Return the campaign's past referrals that have no delivery to this connection."""
    past = Referral.objects.filter(campaign=campaign, accepted_at__gte=since)
    return past.exclude(deliveries__connection=connection)


def backfill(campaign: Campaign, connection: Connection, *, since: datetime, by: Actor) -> int:
    """Create deliveries for the linked campaign's past referrals that never went there.

    All or none are created. The history of each delivery, of the campaign and of the connection
    gets an entry. Return how many deliveries were created.
    """
    db_clock.adjust()
    now = db_clock.now()
    with transaction.atomic():
        count = sum(
            _create_deliveries(ids, campaign, connection, now, by=by)
            for ids in key_chunks(never_sent(campaign, connection, since=since))
        )
        if count:
            message = f"Past referrals of {campaign} delivered to {connection}: {count}."
            record_change(campaign, by=by, message=message)
            record_change(connection, by=by, message=message)
    wake_workers()
    return count


def _create_deliveries(
    referral_ids: list[Any], campaign: Campaign, connection: Connection, now: datetime, *, by: Actor
) -> int:
    rows = [
        Delivery(
            referral_id=id_, connection=connection, campaign=campaign, due_at=now, created_at=now,
            next_trigger=Trigger.REPLAY,
        )
        for id_ in referral_ids
    ]  # fmt: skip
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    # Read again: rows whose conflicts are ignored come back without their keys, and what somebody
    # else created meanwhile is theirs.
    created = Delivery.objects.filter(
        connection=connection, referral__in=referral_ids, created_at=now
    )
    keys = list(created.values_list("pk", flat=True))
    record_changes(Delivery, keys, by=by, message="Created for a past referral.")
    return len(keys)
