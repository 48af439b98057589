"""Update deliveries together with their history."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from connections.operations.history import Actor, record_changes
from referrals.models import Delivery


def update_recorded(
    deliveries: QuerySet[Delivery], *, by: Actor, message: str, **columns: Any  # noqa: ANN401
) -> int:  # fmt: skip
    """Update the deliveries, write an entry in the history of each, and return how many."""
    with transaction.atomic():
        # Locked first, so that nobody changes one between the entry and the update; in one order,
        # so that two who want the same rows never wait for each other.
        keys = list(deliveries.order_by("pk").select_for_update().values_list("pk", flat=True))
        Delivery.objects.filter(pk__in=keys).update(**columns)
        record_changes(Delivery, keys, by=by, message=message)
    return len(keys)
