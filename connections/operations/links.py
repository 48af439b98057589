"""Link campaigns to connections and unlink them."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.core.attributes import CampaignKind, examples, shareable
from connections.models import Campaign, Connection, Link
from connections.operations.history import Actor, record_change


class LinkRefused(Exception):  # noqa: N818 - it says what happened to the link.
    """A campaign can't be linked or unlinked; the message gives the reason and a remedy."""


class CampaignAlreadyLinked(LinkRefused):
    """The campaign is linked to this connection already."""


class NotLinked(LinkRefused):
    """The campaign is not linked to this connection."""


def link_campaign(campaign: Campaign, *, connection: Connection, by: Actor) -> Link:
    """Store a link, so that new referrals of the campaign go to the connection; return it.

    The campaign's and the connection's history each get an entry. Raise LinkRefused.
    """
    _check_account(campaign, connection)
    _check_shareable(campaign, connection)
    try:
        with transaction.atomic():
            link = Link.objects.create(
                campaign=campaign,
                connection=connection,
                linked_at=timezone.now(),
                linked_by=by.user,
            )
            _record(link, by=by, message=f"Linked {campaign} to {connection}.")
    except IntegrityError as error:
        message = f"{campaign} is linked to {connection} already."
        raise CampaignAlreadyLinked(message) from error
    return link


def unlink_campaign(campaign: Campaign, *, connection: Connection, by: Actor) -> Link:
    """End the link, so that no new referral of the campaign goes to the connection; return it.

    Pending deliveries are still made. The campaign's and the connection's history each get an
    entry. Raise NotLinked.
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
        link.unlinked_at, link.unlinked_by = timezone.now(), by.user
        link.save(update_fields=["unlinked_at", "unlinked_by"])
        _record(link, by=by, message=f"Unlinked {campaign} from {connection}.")
    return link


def withheld_attributes(connection: Connection, kind: str) -> list[str]:
    """Return the required attributes that a campaign of this kind may not share."""
    catalogue = connection.account.catalogue()
    shared = shareable(examples(catalogue), CampaignKind(kind), catalogue)
    return [name for name in connection.required_attributes if name not in shared]


def _record(link: Link, *, by: Actor, message: str) -> None:
    record_change(link.campaign, by=by, message=message)
    record_change(link.connection, by=by, message=message)


def _check_account(campaign: Campaign, connection: Connection) -> None:
    """Raise LinkRefused if the two belong to different accounts."""
    if campaign.account_id != connection.account_id:
        raise LinkRefused(f"{campaign} and {connection} belong to different accounts.")


def _check_shareable(campaign: Campaign, connection: Connection) -> None:
    """Raise LinkRefused if the campaign may not share what the connection requires."""
    withheld = withheld_attributes(connection, campaign.kind)
    if withheld:
        kind = CampaignKind(campaign.kind).label.lower()
        raise LinkRefused(
            f"{connection} needs {', '.join(withheld)}, which a campaign of the kind {kind} "
            f"may not share. Link a campaign of another kind, or make the attribute optional."
        )
