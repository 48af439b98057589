"""Finding deliveries by what people have in hand: an external id, the CRM's reference, an address.

Each is looked up in an index of its own, and only so many are taken: whoever finds more has not
said enough.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from referrals.customer_data import can_view_customer_data
from referrals.models import DeliveryAttempt, Referral

MAX_FOUND = 500

_LAST_CHARACTER = "\U0010ffff"


def search(rows: QuerySet[Any], text: str, user: Any) -> QuerySet[Any]:  # noqa: ANN401 - any user.
    """The deliveries whose external id or reference begins so, or whose person has the address."""
    attempts = DeliveryAttempt.objects.visible_to(user).order_by()
    deliveries = _first(attempts.filter(_begins("reference", text)), "delivery")
    return rows.filter(Q(referral__in=_referrals(text, user)) | Q(pk__in=deliveries))


def search_referrals(rows: QuerySet[Any], text: str, user: Any) -> QuerySet[Any]:  # noqa: ANN401
    """The referrals whose external id begins so, or whose person has the address."""
    return rows.filter(pk__in=_referrals(text, user)) if text else rows


def _referrals(text: str, user: Any) -> list[Any]:  # noqa: ANN401 - any kind of user.
    """By address people are found only for whom may see customers' data, also where it is an id."""
    if "@" in text and not can_view_customer_data(user):
        return []
    own = Referral.objects.visible_to(user).order_by()
    found = _first(own.filter(_begins("external_id", text)), "pk")
    return found + _first(own.filter(email=text.lower()), "pk") if "@" in text else found


def _first(rows: QuerySet[Any], column: str) -> list[Any]:
    return list(rows.values_list(column, flat=True)[:MAX_FOUND])


def _begins(column: str, text: str) -> Q:
    """The column begins with the text, said so that the database can use its index."""
    if connection.vendor == "postgresql":
        return Q(**{f"{column}__startswith": text})
    return Q(**{f"{column}__gte": text, f"{column}__lt": text + _LAST_CHARACTER})
