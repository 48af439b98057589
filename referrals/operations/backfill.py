"""Deliver past referrals of a campaign to a new link."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from config.queue.job_queue import wake_workers
from connections.models import Campaign, Connection
from referrals import db_clock
from referrals.models import Delivery, Referral
from referrals.operations.chunks import key_chunks
from referrals.statuses import Trigger


def never_sent(
    campaign: Campaign, connection: Connection, *, since: datetime
) -> QuerySet[Referral]:
    """The campaign's past referrals that have no delivery to this connection."""
    past = Referral.objects.filter(campaign=campaign, accepted_at__gte=since)
    return past.exclude(deliveries__connection=connection)


def backfill(campaign: Campaign, connection: Connection, *, since: datetime) -> int:
    """Deliver past referrals of a linked campaign that never went there; returns how many."""
    db_clock.adjust()
    now, count = db_clock.now(), 0
    for ids in key_chunks(never_sent(campaign, connection, since=since)):
        rows = [
            Delivery(
                referral_id=id_, connection=connection, campaign=campaign, due_at=now,
                created_at=now, next_trigger=Trigger.REPLAY,
            )
            for id_ in ids
        ]  # fmt: skip
        count += len(Delivery.objects.bulk_create(rows, ignore_conflicts=True))
    wake_workers()
    return count
