"""The lease: claim due deliveries, complete them under the number that was claimed.

Its SQL is written by hand: one module for PostgreSQL, one for SQLite, with the same three
functions. Must not know what is sent or what an outcome means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction

from referrals.leases import postgresql, sqlite
from referrals.leases.values import Claim, ClaimResult, lost_attempt
from referrals.models import DeliveryAttempt
from referrals.throttling.capacity import CapacityPlan, has_due
from referrals.throttling.fair_share import share_fairly

__all__ = ["Claim", "ClaimResult", "claim", "complete", "has_due"]


def claim(*, limit: int, now: datetime, lease: timedelta) -> list[Claim]:
    """Take up to `limit` due deliveries, the oldest of each connection, until the lease ends.

    Each connection gives what its limits and its health leave room for, in fair shares.

    Where an earlier claim was never completed, its attempt is recorded as unknown in the same
    transaction: whoever had it may have sent it.
    """
    with transaction.atomic():
        backend = _backend()
        plan = CapacityPlan(backend.waiting(now), now)
        shares = share_fairly(plan.capacities, limit)
        if not shares:
            return []
        plan.spend(shares)
        trials = {lane.connection_id for lane in plan.capacities if lane.is_trial}
        taken = backend.take(shares, now=now, lease_end=now + lease)
        claims = [replace(one, is_trial=one.connection_id in trials) for one in taken]
        lost = [lost_attempt(one, now) for one in claims if one.previous_claimed_at is not None]
        if lost:
            DeliveryAttempt.objects.bulk_create(lost, ignore_conflicts=True)
    return claims


def complete(results: Sequence[ClaimResult]) -> set[int]:
    """Record finished attempts and settle their deliveries; returns the ids that were recorded.

    A delivery that was claimed again meanwhile keeps what the later claim makes of it: a worker
    that lost its lease can't overwrite.
    """
    return _backend().complete(results) if results else set()


def _backend() -> postgresql.PostgreSQLBackend | sqlite.SQLiteBackend:
    return (
        postgresql.PostgreSQLBackend()
        if connection.vendor == "postgresql"
        else sqlite.SQLiteBackend()
    )
