"""Claim due deliveries, and complete what was claimed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from referrals.leases.postgresql import PostgreSQLBackend
from referrals.leases.sqlite import SQLiteBackend
from referrals.leases.values import Claim, ClaimResult, build_lost_attempt
from referrals.models import Delivery, DeliveryAttempt
from referrals.models.sendable import sendable_connections
from referrals.throttling.capacity import CapacityPlan
from referrals.throttling.fair_share import share_fairly


def has_due(now: datetime) -> bool:
    """Return whether anything is claimable, but for limits that pass within a moment.

    Connections are asked, not deliveries, so that it costs the same however many deliveries wait
    for a connection that may not be sent to.
    """
    due = Delivery.objects.due(now).filter(connection=OuterRef("pk"))
    return sendable_connections(now).filter(Exists(due)).exists()


def claim(*, limit: int, now: datetime, lease: timedelta) -> list[Claim]:
    """Claim up to `limit` due deliveries until the lease ends, and return the claims.

    Each connection gives its oldest, as many as its limits and its breaker allow, in fair shares.
    If an earlier claim was never completed, its attempt is recorded as unknown in the same
    transaction: the worker that had it may have sent it.
    """
    with transaction.atomic():
        backend = get_backend()
        plan = CapacityPlan(backend.pending_connections(now), now)
        shares = share_fairly(plan.capacities, limit)
        if not shares:
            return []
        plan.spend(shares)
        claims = _mark_trials(backend.take(shares, now=now, lease_end=now + lease), plan.trials)
        _record_lost_attempts(claims, now)
    return claims


def complete(results: Sequence[ClaimResult]) -> set[int]:
    """Record finished attempts and what becomes of their deliveries; return the recorded ids.

    A delivery that was claimed again meanwhile is left out: a worker that lost its lease can't
    overwrite.
    """
    return get_backend().complete(results) if results else set()


def get_backend() -> PostgreSQLBackend | SQLiteBackend:
    """Return the hand-written SQL for the database in use."""
    return PostgreSQLBackend() if connection.vendor == "postgresql" else SQLiteBackend()


def _mark_trials(claims: Sequence[Claim], trials: Collection[int]) -> list[Claim]:
    """Return the claims, with `is_trial` set on those of half-open connections."""
    return [replace(one, is_trial=True) if one.connection_id in trials else one for one in claims]


def _record_lost_attempts(claims: Sequence[Claim], now: datetime) -> None:
    """Insert an unknown attempt for each earlier claim that was never completed."""
    lost = [build_lost_attempt(one, now) for one in claims if one.previous_claimed_at is not None]
    if lost:
        DeliveryAttempt.objects.bulk_create(lost, ignore_conflicts=True)
