"""Link campaigns to connections and unlink them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.core.attributes import CampaignKind, examples, shareable
from connections.models import Campaign, Connection, Link

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class LinkRefused(Exception):  # noqa: N818 - it says what happened to the link.
    """A campaign can't be linked; the message says why and what would help."""


class CampaignAlreadyLinked(LinkRefused):
    """The campaign is linked to this connection already."""


class NotLinked(LinkRefused):
    """There is no such link to take away."""


def link_campaign(campaign: Campaign, *, connection: Connection, by: User | None) -> Link:
    """From now on, send the campaign's referrals to the connection; raises LinkRefused."""
    _refuse_another_account(campaign, connection)
    _refuse_what_may_not_be_shared(campaign, connection)
    try:
        with transaction.atomic():
            return Link.objects.create(
                campaign=campaign, connection=connection, linked_at=timezone.now(), linked_by=by
            )
    except IntegrityError as error:
        message = f"{campaign} is linked to {connection} already."
        raise CampaignAlreadyLinked(message) from error


def unlink_campaign(campaign: Campaign, *, connection: Connection, by: User | None) -> Link:
    """From now on, send no more of the campaign's referrals there; raises NotLinked.

    What waits already is still delivered.
    """
    with transaction.atomic():
        link = (
            Link.objects.select_for_update()
            .active()
            .filter(campaign=campaign, connection=connection)
            .first()
        )
        if link is None:
            raise NotLinked(f"{campaign} is not linked to {connection}.")
        link.unlinked_at, link.unlinked_by = timezone.now(), by
        link.save(update_fields=["unlinked_at", "unlinked_by"])
    return link


def withheld_attributes(connection: Connection, kind: str) -> list[str]:
    """What the connection needs and a campaign of this kind may not share."""
    catalogue = connection.account.catalogue()
    shared = shareable(examples(catalogue), CampaignKind(kind), catalogue)
    return [name for name in connection.required_attributes if name not in shared]


def _refuse_another_account(campaign: Campaign, connection: Connection) -> None:
    if campaign.account_id != connection.account_id:
        raise LinkRefused(f"{campaign} and {connection} belong to different accounts.")


def _refuse_what_may_not_be_shared(campaign: Campaign, connection: Connection) -> None:
    withheld = withheld_attributes(connection, campaign.kind)
    if withheld:
        kind = CampaignKind(campaign.kind).label.lower()
        raise LinkRefused(
            f"{connection} needs {', '.join(withheld)}, which a campaign of the kind {kind} "
            f"may not share. Link a campaign of another kind, or make the attribute optional."
        )
