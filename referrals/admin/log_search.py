"""Search deliveries and referrals by external id, the CRM's reference or e-mail address.

Each is looked up in its own index, and at most MAX_FOUND rows of each are used: a search that finds
more is too broad to be useful.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from connections.permissions import can_view_customer_data
from referrals.models import DeliveryAttempt, Referral

MAX_FOUND = 500

_MAX_CHARACTER = "\U0010ffff"


def search(rows: QuerySet[Any], text: str, user: Any) -> QuerySet[Any]:  # noqa: ANN401 - any user.
    """Filter to deliveries whose external id or reference starts with the text, or whose person has
    that e-mail address."""
    attempts = DeliveryAttempt.objects.visible_to(user).order_by()
    deliveries = _first_values(attempts.filter(_starts_with("reference", text)), "delivery")
    return rows.filter(Q(referral__in=_find_referrals(text, user)) | Q(pk__in=deliveries))


def search_referrals(rows: QuerySet[Any], text: str, user: Any) -> QuerySet[Any]:  # noqa: ANN401
    """Filter to referrals whose external id starts with the text, or whose person has that e-mail
    address."""
    return rows.filter(pk__in=_find_referrals(text, user)) if text else rows


def _find_referrals(text: str, user: Any) -> list[Any]:  # noqa: ANN401 - any kind of user.
    """Return the keys of the referrals that fit.

    A text with an e-mail address finds nothing for users who may not see customers' data, even
    where external ids are addresses.
    """
    if "@" in text and not can_view_customer_data(user):
        return []
    visible = Referral.objects.visible_to(user).order_by()
    found = _first_values(visible.filter(_starts_with("external_id", text)), "pk")
    return found + _first_values(visible.filter(email=text.lower()), "pk") if "@" in text else found


def _first_values(rows: QuerySet[Any], column: str) -> list[Any]:
    return list(rows.values_list(column, flat=True)[:MAX_FOUND])


def _starts_with(column: str, text: str) -> Q:
    """Return the condition that the column starts with the text, as the index supports it."""
    if connection.vendor == "postgresql":
        return Q(**{f"{column}__startswith": text})
    return Q(**{f"{column}__gte": text, f"{column}__lt": text + _MAX_CHARACTER})
