"""Accept referrals: check them, store them with their deliveries, and wake the workers.

Each database has a module with its own SQL: this runs at every request, and each query that the ORM
builds costs as much as everything else together.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from connections.core.attributes import CATALOGUE, Attribute
from connections.models import Campaign
from referrals import db_clock
from referrals.enqueue import wake_workers
from referrals.intake import store_postgresql, store_sqlite
from referrals.intake.items import FieldError, IntakeRefused, Item, NewReferral, clean
from referrals.models import Referral
from referrals.uuid7 import uuid7

__all__ = ["Accepted", "CampaignNotLive", "FieldError", "IntakeRefused", "Item", "accept_referrals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The referral of one item, and whether it is new."""

    id: uuid.UUID
    external_id: str
    is_new: bool


class CampaignNotLive(Exception):  # noqa: N818 - the name of a state.
    """The campaign accepts no referrals now."""


def accept_referrals(campaign: Campaign, items: Sequence[Item]) -> list[Accepted]:
    """Store the new items with a delivery for each active link, and wake the workers.

    Raise IntakeRefused or CampaignNotLive and store nothing if any item can't be accepted. An item
    whose external id is stored already changes nothing.
    """
    if campaign.status != Campaign.Status.LIVE:
        raise CampaignNotLive(f"The campaign {campaign.name} is {campaign.status}.")
    cleaned = clean(items, _catalogue(campaign, items))
    accepted = _store(campaign, items, cleaned)
    wake_workers()
    return accepted


def _catalogue(campaign: Campaign, items: Sequence[Item]) -> Mapping[str, Attribute]:
    """Return the catalogue; query the account's own attributes only if an item has one."""
    is_shared = all(item.attributes.keys() <= CATALOGUE.keys() for item in items)
    return CATALOGUE if is_shared else campaign.account.catalogue()


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
    backend = store_postgresql if connection.vendor == "postgresql" else store_sqlite
    # The database decides which are new, so that of two concurrent requests only one stores a row.
    new_ids = backend.store_new(campaign, rows, db_clock.now())
    ids = {row.external_id: row.id for row in rows if row.id in new_ids}
    ids |= _stored_ids(campaign, {row.external_id for row in rows} - ids.keys())
    return [
        Accepted(id=ids[row.external_id], external_id=row.external_id, is_new=row.id in new_ids)
        for row in rows
    ]


def _stored_ids(campaign: Campaign, external_ids: set[str]) -> dict[str, uuid.UUID]:
    """Return the ids of the campaign's stored referrals by their external ids."""
    if not external_ids:
        return {}
    stored = Referral.objects.filter(campaign=campaign, external_id__in=external_ids)
    return dict(stored.values_list("external_id", "id"))
