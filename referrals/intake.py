"""The door: referrals are checked, stored with their deliveries in one transaction, and announced.

Must not know HTTP; the API turns what is raised here into answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from connections.attributes import Attribute, AttributeValueError
from connections.http.errors import suggestion
from connections.models import Campaign, Link
from referrals.claims import clock
from referrals.models import Delivery, Referral
from referrals.queue import ring

_LONGEST_EXTERNAL_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One referral as it was handed in."""

    external_id: str
    attributes: Mapping[str, Any]
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of one item: the referral's id, and whether it was new."""

    id: uuid.UUID
    external_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with what was handed in: which field, and what would be right."""

    field: str
    message: str


class IntakeRefused(Exception):  # noqa: N818 - it says what happened to the items.
    """Nothing was stored; `problems` names each wrong field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


class CampaignNotLive(Exception):  # noqa: N818 - it says what the campaign is.
    """The campaign takes no referrals now."""


def accept_referrals(campaign: Campaign, items: Sequence[Item]) -> list[Accepted]:
    """Store the items that are new, with a delivery for each active link, and ring the doorbell.

    All or nothing: raises IntakeRefused or CampaignNotLive, and then nothing is stored. An item
    whose external id is known already changes nothing.
    """
    if campaign.status != Campaign.Status.LIVE:
        raise CampaignNotLive(f"The campaign {campaign.name} is {campaign.status}.")
    cleaned = _clean(items, campaign.account.catalogue())
    with transaction.atomic():
        accepted = _store(campaign, items, cleaned)
        transaction.on_commit(ring)
    return accepted


def _store(
    campaign: Campaign, items: Sequence[Item], cleaned: Sequence[dict[str, Any]]
) -> list[Accepted]:
    clock.adjust_if_old()
    now = clock.now()
    rows = [
        Referral(
            campaign=campaign,
            external_id=item.external_id,
            attributes=attributes,
            occurred_at=item.occurred_at,
            accepted_at=now,
        )
        for item, attributes in zip(items, cleaned, strict=True)
    ]
    # The database decides which are new, so that two requests at the same moment can't both win.
    Referral.objects.bulk_create(rows, ignore_conflicts=True)
    stored = dict(
        Referral.objects.filter(
            campaign=campaign, external_id__in=[row.external_id for row in rows]
        ).values_list("external_id", "id")
    )
    new = [row for row in rows if stored[row.external_id] == row.id]
    _plan_deliveries(campaign, new, now)
    new_ids = {row.id for row in new}
    return [
        Accepted(id=stored[row.external_id], external_id=row.external_id, is_new=row.id in new_ids)
        for row in rows
    ]


def _plan_deliveries(campaign: Campaign, referrals: Sequence[Referral], now: datetime) -> None:
    connections = list(
        Link.objects.active().filter(campaign=campaign).values_list("connection_id", flat=True)
    )
    Delivery.objects.bulk_create(
        Delivery(
            referral=referral,
            connection_id=connection,
            campaign=campaign,
            due_at=now,
            created_at=now,
        )
        for referral in referrals
        for connection in connections
    )


def _clean(items: Sequence[Item], catalogue: Mapping[str, Attribute]) -> list[dict[str, Any]]:
    problems: list[Problem] = []
    cleaned = []
    for index, item in enumerate(items):
        prefix = f"[{index}]." if len(items) > 1 else ""
        problems += _external_id_problems(item.external_id, prefix)
        problems += _moment_problems(item.occurred_at, prefix)
        attributes, wrong = _clean_attributes(item.attributes, catalogue, f"{prefix}attributes.")
        cleaned.append(attributes)
        problems += wrong
    if problems:
        raise IntakeRefused(problems)
    return cleaned


def _external_id_problems(external_id: str, prefix: str) -> list[Problem]:
    field = f"{prefix}external_id"
    if not external_id.strip() or not external_id.isprintable():
        return [Problem(field, "must be a text of printable characters")]
    if len(external_id) > _LONGEST_EXTERNAL_ID:
        return [Problem(field, f"must not be longer than {_LONGEST_EXTERNAL_ID} characters")]
    return []


def _moment_problems(moment: datetime | None, prefix: str) -> list[Problem]:
    try:
        _ = moment and moment.astimezone(UTC)
    except OverflowError:
        return [Problem(f"{prefix}occurred_at", "must be a time of the years 1 to 9999 in UTC")]
    return []


def _clean_attributes(
    given: Mapping[str, Any], catalogue: Mapping[str, Attribute], prefix: str
) -> tuple[dict[str, Any], list[Problem]]:
    cleaned, problems = {}, []
    for key, value in given.items():
        if key not in catalogue:
            message = f"there is no such attribute.{suggestion(key, catalogue)}"
            problems.append(Problem(f"{prefix}{key}", message))
            continue
        try:
            stored = catalogue[key].clean(value)
        except AttributeValueError as error:
            problems.append(Problem(f"{prefix}{key}", str(error)))
        else:
            if stored is not None:
                cleaned[key] = stored
    return cleaned, problems
