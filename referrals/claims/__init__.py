"""The lease: claim due deliveries, complete them under the number that was claimed.

Its SQL is written by hand: one module for PostgreSQL, one for SQLite, with the same three
functions. Must not know what is sent or what an outcome means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction

from referrals.allotment import allot
from referrals.claims import clock, postgresql, sqlite
from referrals.claims.lanes import OpenLanes, has_due
from referrals.claims.values import Claim, Completion, lost_attempt
from referrals.models import DeliveryAttempt

__all__ = ["Claim", "Completion", "claim", "clock", "complete", "has_due"]


def claim(*, limit: int, now: datetime, lease: timedelta) -> list[Claim]:
    """Take up to `limit` due deliveries, the oldest of each connection, until the lease ends.

    Each connection gives what its limits and its health leave room for, in fair shares.

    Where an earlier claim was never completed, its attempt is recorded as unknown in the same
    transaction: whoever had it may have sent it.
    """
    with transaction.atomic():
        backend = _backend()
        open_lanes = OpenLanes(backend.waiting(now), now)
        shares = allot(open_lanes.lanes, limit)
        if not shares:
            return []
        open_lanes.spend(shares)
        probes = {lane.connection_id for lane in open_lanes.lanes if lane.is_probe}
        taken = backend.take(shares, now=now, lease_end=now + lease)
        claims = [replace(one, is_probe=one.connection_id in probes) for one in taken]
        lost = [lost_attempt(one, now) for one in claims if one.lost_at is not None]
        if lost:
            DeliveryAttempt.objects.bulk_create(lost, ignore_conflicts=True)
    return claims


def complete(completions: Sequence[Completion]) -> set[int]:
    """Record finished attempts and settle their deliveries; returns the ids that were recorded.

    A delivery that was claimed again meanwhile keeps what the later claim makes of it: a worker
    that lost its lease can't overwrite.
    """
    return _backend().complete(completions) if completions else set()


def _backend() -> postgresql.Backend | sqlite.Backend:
    return postgresql.Backend() if connection.vendor == "postgresql" else sqlite.Backend()
