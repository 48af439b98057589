"""Store new referrals and their deliveries on SQLite.

A transaction holds the database's only write lock from its beginning, so that no other process
changes what was read before it is written.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from connections.models import Campaign, Link
from referrals.intake.items import NewReferral
from referrals.models import Delivery, Referral


@transaction.atomic
def store_new(campaign: Campaign, rows: Sequence[NewReferral], now: datetime) -> set[uuid.UUID]:
    """Store the new referrals, each with a pending delivery for every active link.

    Return the ids of those that were new.
    """
    Referral.objects.bulk_create(
        (
            Referral(
                id=row.id,
                campaign=campaign,
                external_id=row.external_id,
                attributes=row.attributes,
                occurred_at=row.occurred_at,
                accepted_at=now,
            )
            for row in rows
        ),
        ignore_conflicts=True,
    )
    stored = Referral.objects.filter(pk__in=[row.id for row in rows])
    new_ids = set(stored.values_list("pk", flat=True))
    _create_deliveries(campaign, [row.id for row in rows if row.id in new_ids], now)
    return new_ids


def _create_deliveries(
    campaign: Campaign, referral_ids: Iterable[uuid.UUID], now: datetime
) -> None:
    links = Link.objects.active().filter(campaign=campaign)
    connection_ids = list(links.values_list("connection_id", flat=True))
    Delivery.objects.bulk_create(
        Delivery(
            referral_id=referral_id,
            connection_id=connection_id,
            campaign=campaign,
            due_at=now,
            created_at=now,
        )
        for referral_id in referral_ids
        for connection_id in connection_ids
    )
