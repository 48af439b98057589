"""The door: referrals are checked, stored with their deliveries in one transaction, and announced.

`items` checks, and one module for each database stores: this happens at every request, and there
each query that the ORM makes costs as much as all the rest. Must not know HTTP; the API turns what
is raised here into answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from config.queue.job_queue import wake_workers
from connections.core.attributes import CATALOGUE, Attribute
from connections.models import Campaign
from referrals import db_clock
from referrals.intake import postgresql, sqlite
from referrals.intake.items import FieldError, IntakeRefused, Item, NewReferral, clean
from referrals.models import Referral
from referrals.uuid7 import uuid7

__all__ = ["Accepted", "CampaignNotLive", "FieldError", "IntakeRefused", "Item", "accept_referrals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of one item: the referral's id, and whether it was new."""

    id: uuid.UUID
    external_id: str
    is_new: bool


class CampaignNotLive(Exception):  # noqa: N818 - it says what the campaign is.
    """The campaign takes no referrals now."""


def accept_referrals(campaign: Campaign, items: Sequence[Item]) -> list[Accepted]:
    """Store the items that are new, with a delivery for each active link, and ring the doorbell.

    All or nothing: raises IntakeRefused or CampaignNotLive, and then nothing is stored. An item
    whose external id is known already changes nothing.
    """
    if campaign.status != Campaign.Status.LIVE:
        raise CampaignNotLive(f"The campaign {campaign.name} is {campaign.status}.")
    cleaned = clean(items, _catalogue(campaign, items))
    accepted = _store(campaign, items, cleaned)
    transaction.on_commit(wake_workers)
    return accepted


def _catalogue(campaign: Campaign, items: Sequence[Item]) -> Mapping[str, Attribute]:
    """The account's own attributes are asked for only where a name isn't everybody's."""
    is_known = all(item.attributes.keys() <= CATALOGUE.keys() for item in items)
    return CATALOGUE if is_known else campaign.account.catalogue()


def _store(
    campaign: Campaign, items: Sequence[Item], cleaned: Sequence[dict[str, Any]]
) -> list[Accepted]:
    rows = [
        NewReferral(
            id=uuid7(),
            external_id=item.external_id,
            attributes=attributes,
            occurred_at=item.occurred_at,
        )
        for item, attributes in zip(items, cleaned, strict=True)
    ]
    db_clock.adjust_if_old()
    backend = postgresql if connection.vendor == "postgresql" else sqlite
    # The database decides which are new, so that two requests at the same moment can't both win.
    new = backend.store_new(campaign, rows, db_clock.now())
    ids = {row.external_id: row.id for row in rows if row.id in new}
    ids |= _known(campaign, {row.external_id for row in rows} - ids.keys())
    return [
        Accepted(id=ids[row.external_id], external_id=row.external_id, is_new=row.id in new)
        for row in rows
    ]


def _known(campaign: Campaign, external_ids: set[str]) -> dict[str, uuid.UUID]:
    if not external_ids:
        return {}
    stored = Referral.objects.filter(campaign=campaign, external_id__in=external_ids)
    return dict(stored.values_list("external_id", "id"))
