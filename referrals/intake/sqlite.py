"""New referrals on SQLite: a transaction holds the only write lock from its beginning, so that what
was read is still true when it is written."""

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
    """Store what is new, each with a pending delivery for every active link; the new ones' ids."""
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
    new = set(stored.values_list("pk", flat=True))
    _plan_deliveries(campaign, [row.id for row in rows if row.id in new], now)
    return new


def _plan_deliveries(campaign: Campaign, ids: Iterable[uuid.UUID], now: datetime) -> None:
    links = Link.objects.active().filter(campaign=campaign)
    connections = list(links.values_list("connection_id", flat=True))
    Delivery.objects.bulk_create(
        Delivery(
            referral_id=id_, connection_id=connection, campaign=campaign, due_at=now, created_at=now
        )
        for id_ in ids
        for connection in connections
    )
