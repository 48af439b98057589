"""The attempts of a delivery and the attributes of a referral as one user may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connections.core.masking import MASK
from connections.core.personal_data import is_personal
from connections.permissions import PermissionHolder, can_view_customer_data
from connections.presentation.exchange import ExchangeView
from referrals.customer_data import build_delivery_redaction
from referrals.models import Delivery, DeliveryAttempt, Referral

ATTEMPTS_PER_PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt with its exchange."""

    attempt: DeliveryAttempt
    exchange: ExchangeView


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeView:
    """One attribute of a referral; the value is masked if it is hidden."""

    label: str
    value: Any
    is_hidden: bool


def view_attempts(
    delivery: Delivery, user: PermissionHolder, before: int | None = None
) -> list[AttemptView]:
    """Return a page of attempts, the newest first, and one more if there is another page.

    If `before` is given, begin with the newest attempt that has a lower number.
    """
    attempts = DeliveryAttempt.objects.filter(delivery=delivery).order_by("-number")
    if before is not None:
        attempts = attempts.filter(number__lt=before)
    rows = list(attempts[: ATTEMPTS_PER_PAGE + 1])
    redaction = build_delivery_redaction(delivery, user) if rows else None
    return [
        AttemptView(attempt=row, exchange=ExchangeView.from_record(row, redaction)) for row in rows
    ]


def view_attributes(referral: Referral, user: PermissionHolder) -> list[AttributeView]:
    """Return the referral's attributes in the catalogue's order."""
    catalogue = referral.campaign.account.catalogue()
    order = {key: position for position, key in enumerate(catalogue)}
    can_view = can_view_customer_data(user)
    views = []
    for key in sorted(referral.attributes, key=lambda key: order.get(key, len(order))):
        is_hidden = is_personal(key, catalogue) and not can_view
        value = MASK if is_hidden else referral.attributes[key]
        label = catalogue[key].label if key in catalogue else key
        views.append(AttributeView(label=label, value=value, is_hidden=is_hidden))
    return views
