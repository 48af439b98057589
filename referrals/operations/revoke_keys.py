"""Revoke intake keys."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from connections.operations.history import Actor, record_changes
from referrals.models import IntakeKey


def revoke(keys: QuerySet[IntakeKey], *, by: Actor) -> int:
    """Let the keys open nothing from now on, and return how many could until now."""
    with transaction.atomic():
        ids = list(keys.filter(revoked_at=None).select_for_update().values_list("pk", flat=True))
        IntakeKey.objects.filter(pk__in=ids).update(revoked_at=timezone.now())
        record_changes(IntakeKey, ids, by=by, message="Revoked.")
    return len(ids)
