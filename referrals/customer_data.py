"""Whether somebody may see customers' personal data, and the mask for what they may not see."""

from __future__ import annotations

from typing import Any

from connections.core.attributes import CampaignKind
from connections.core.errors import DescriptionError
from connections.core.personal_data import PersonalMask, personal_mask, without_addresses
from connections.core.spec import ConnectionSpec
from connections.models import Connection
from referrals.models import Delivery, Referral

PERMISSION = "referrals.view_customer_data"


def can_view_customer_data(user: Any) -> bool:  # noqa: ANN401 - any kind of user.
    """Whether the person has the permission of its own that this takes."""
    return bool(user.has_perm(PERMISSION))


def shown_id(referral: Referral, user: Any) -> str:  # noqa: ANN401 - any kind of user.
    """The external id; where it is a person's address, only for whom may see that."""
    external_id = referral.external_id
    return external_id if can_view_customer_data(user) else without_addresses(external_id)


def build_mask(delivery: Delivery) -> PersonalMask:
    """What hides the referral's person in the exchanges of the delivery.

    Asks for everything of the connection and for the account's attributes.
    """
    referral: Referral = delivery.referral
    connection = Connection.objects.with_everything().get(pk=delivery.connection_id)
    return personal_mask(
        referral.attributes,
        connection.account.catalogue(),
        CampaignKind(delivery.campaign.kind),
        _spec(connection),
    )


def _spec(connection: Connection) -> ConnectionSpec | None:
    try:
        return connection.spec()
    except DescriptionError:
        return None
