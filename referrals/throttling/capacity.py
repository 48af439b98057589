"""How many more deliveries each connection may be given now, by its limits and its breaker.

Rows of connections that must be counted exactly (a half-open trial, a limit) stay locked until the
claim commits, so that two workers never both send the one trial, spend the same token or take the
last place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count

from connections.core.errors import DescriptionError
from connections.core.spec import Limits
from referrals.models import BreakerState, Delivery
from referrals.models.deliveries import attempt_timeout
from referrals.throttling import breaker as breakers
from referrals.throttling.breaker import Breaker
from referrals.throttling.breaker_rows import to_domain
from referrals.throttling.fair_share import ConnectionCapacity
from referrals.throttling.token_bucket import refill

_UNLIMITED = Limits()

_SLOW_AFTER = timedelta(seconds=2)
_MAX_IN_FLIGHT_WHEN_SLOW = 5
"""A CRM that answers at once may use all threads, since it gives them back at once. One that has
let a request wait for longer than _SLOW_AFTER gets no more than these, so that it takes no threads
from others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingConnection:
    """A connection with something due, as read without a lock.

    It has the limits as stored, whether the connection has a row of its breaker and what stands
    there, and how many attempts are in flight, the oldest since `oldest_in_flight_since`.
    """

    connection_id: int
    limits: Mapping[str, Any]
    has_breaker: bool
    open_until: datetime | None
    closed_at: datetime | None
    in_flight: int
    oldest_in_flight_since: datetime | None


class CapacityPlan:
    """The capacities of all connections with something due, the longest waiting first.

    Make and use it in one transaction. It has all of them, not the first few, because those without
    capacity must not keep the others from being given something.
    """

    def __init__(self, pending: Sequence[PendingConnection], now: datetime) -> None:
        """Insert missing rows of breakers, and lock those that must be counted exactly."""
        self._now = now
        self._limits = {one.connection_id: _read_limits(one.limits) for one in pending}
        exact_ids = {one.connection_id for one in pending if self._must_be_exact(one)}
        self._rows = _lock_exact_ones(exact_ids, pending)
        self._breakers = {pk: to_domain(row) for pk, row in self._rows.items()}
        self._locked_elsewhere = exact_ids - self._rows.keys()
        # Counted again under the locks, or another worker's claim could be missing.
        in_flight = _count_in_flight(self._rows, now)
        self.capacities = [self._capacity(one, in_flight) for one in pending]

    def spend(self, shares: Mapping[int, int]) -> None:
        """Save that the tokens of these shares are spent and that half-open trials have begun."""
        for connection_id in shares.keys() & self._rows.keys():
            row, breaker = self._rows[connection_id], self._breakers[connection_id]
            if self._limits[connection_id].per_second is not None:
                row.tokens = self._tokens(connection_id) - shares[connection_id]
                row.tokens_updated_at = self._now
            if not breaker.is_closed:
                trial = breakers.begin_half_open_trial(breaker, self._now, attempt_timeout())
                row.open_until = trial.open_until
            row.save(update_fields=["tokens", "tokens_updated_at", "open_until"])

    @property
    def trials(self) -> set[int]:
        """Return the ids of the connections whose next delivery is a half-open trial."""
        return {one.connection_id for one in self.capacities if one.is_trial}

    def _must_be_exact(self, one: PendingConnection) -> bool:
        limits = self._limits[one.connection_id]
        is_limited = limits.per_second is not None or limits.in_flight is not None
        return is_limited or one.open_until is not None

    def _capacity(
        self, one: PendingConnection, exact_in_flight: Mapping[int, int]
    ) -> ConnectionCapacity:
        pk = one.connection_id
        if pk in self._locked_elsewhere:
            return ConnectionCapacity(connection_id=pk, capacity=0)
        breaker = self._breakers.get(pk) or Breaker(closed_at=one.closed_at)
        capacity = breakers.capacity(
            breaker,
            max_in_flight=self._max_in_flight(one),
            in_flight=exact_in_flight.get(pk, 0) if pk in self._rows else one.in_flight,
            now=self._now,
        )
        if self._limits[pk].per_second is not None:
            capacity = min(capacity, int(self._tokens(pk)))
        return ConnectionCapacity(
            connection_id=pk, capacity=capacity, is_trial=not breaker.is_closed
        )

    def _max_in_flight(self, one: PendingConnection) -> int:
        """Return the connection's own limit, else all threads, but few while its CRM is slow."""
        limit = self._limits[one.connection_id].in_flight
        if limit is not None:
            return limit
        since = one.oldest_in_flight_since
        is_slow = since is not None and self._now - since > _SLOW_AFTER
        return _MAX_IN_FLIGHT_WHEN_SLOW if is_slow else settings.DELIVERY_THREADS

    def _tokens(self, connection_id: int) -> float:
        row = self._rows[connection_id]
        return refill(
            row.tokens,
            per_second=self._limits[connection_id].per_second or 0.0,
            since=row.tokens_updated_at or self._now,
            now=self._now,
        )


def _lock_exact_ones(
    connection_ids: Collection[int], pending: Sequence[PendingConnection]
) -> dict[int, BreakerState]:
    """Insert the rows that these connections lack, lock all of them, and return them by id.

    Rows that another worker has locked are left out.
    """
    if not connection_ids:
        return {}
    # Only what is missing: to insert beside a row that another worker has locked is to wait.
    known = {one.connection_id for one in pending if one.has_breaker}
    BreakerState.objects.insert_missing(set(connection_ids) - known)
    rows = BreakerState.objects.lock(connection_ids, skip_locked=True)
    return {row.pk: row for row in rows}


def _count_in_flight(connection_ids: Collection[int], now: datetime) -> dict[int, int]:
    if not connection_ids:
        return {}
    claims = Delivery.objects.in_flight(now).filter(connection__in=connection_ids).order_by()
    counts = claims.values("connection").annotate(count=Count("pk"))
    return dict(counts.values_list("connection", "count"))


def _read_limits(stored: Mapping[str, Any]) -> Limits:
    try:
        return Limits.from_table(stored) if stored else _UNLIMITED
    except DescriptionError:
        # Its attempts will say so; the claims of all others must not fail for it.
        return _UNLIMITED
