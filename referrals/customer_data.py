"""Hide customers' personal data from users who may not see it."""

from __future__ import annotations

from connections.core.personal_data import mask_email_addresses
from connections.permissions import PermissionHolder, can_view_customer_data
from connections.presentation.redaction import Redaction, build_redaction
from referrals.models import Delivery, Referral


def display_id(referral: Referral, user: PermissionHolder) -> str:
    """Return the external id, with e-mail addresses hidden if the user may not see them."""
    external_id = referral.external_id
    return external_id if can_view_customer_data(user) else mask_email_addresses(external_id)


def build_delivery_redaction(delivery: Delivery, user: PermissionHolder) -> Redaction | None:
    """Return what hides the referral's person in the attempts; None if the user may see them."""
    return build_redaction(
        user,
        connection_id=delivery.connection_id,
        attributes=delivery.referral.attributes,
        kind=delivery.campaign.kind,
    )
