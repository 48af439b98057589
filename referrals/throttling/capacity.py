"""Which connections have something due, and how much room their limits leave; knows no attempts.

Health rows of connections that must be exact (a probe, a limit) stay locked until the claim
commits, so that two workers never both send the one probe, spend the same token or take the last
place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, QuerySet

from connections.core.errors import DescriptionError
from connections.core.spec import Limits
from connections.models import Connection
from referrals.leases.values import PendingConnection
from referrals.models import BreakerState, Delivery
from referrals.throttling import breaker
from referrals.throttling.fair_share import ConnectionCapacity

_MARGIN_SECONDS = 5
"""For what a claim waits in its worker's queue before it is sent, and its answer before it is
recorded."""

_UNLIMITED = Limits()

_SLOW_AFTER = timedelta(seconds=2)
_MAX_IN_FLIGHT_WHEN_SLOW = 5
"""A connection that answers at once may use all threads, since it gives them back at once; one that
has let a request wait for long gets no more than these, so that it never takes them from others."""


class CapacityPlan:
    """All connections with something due, those that wait longest first; made and used in one
    transaction. All, because those without room must not stand in the way of the others."""

    def __init__(self, waiting: Sequence[PendingConnection], now: datetime) -> None:
        self._now = now
        self._limits = {one.connection_id: _limits(one.limits) for one in waiting}
        self._exact = self._lock_exact_ones(waiting)
        # Counted again under the locks, or another worker's claim could be missing.
        in_flight = _count_in_flight(self._exact, now)
        self.capacities = [
            self._capacity(one, in_flight.get(one.connection_id, 0)) for one in waiting
        ]

    def spend(self, shares: Mapping[int, int]) -> None:
        """Take the tokens that the shares cost, and let no other probe begin."""
        for connection_id in shares.keys() & self._exact.keys():
            row = self._exact[connection_id]
            if self._limits[connection_id].per_second is not None:
                row.tokens = self._tokens(connection_id) - shares[connection_id]
                row.tokens_updated_at = self._now
            if not row.to_domain().is_closed:
                row.take(
                    breaker.begin_half_open_trial(row.to_domain(), self._now, attempt_timeout())
                )
            row.save(update_fields=["tokens", "tokens_updated_at", "open_until"])

    def _lock_exact_ones(self, waiting: Sequence[PendingConnection]) -> dict[int, BreakerState]:
        """Locked rows of limited and unwell connections; what another worker holds is left out."""
        limited = {pk for pk, limits in self._limits.items() if _must_be_exact(limits)}
        unwell = {one.connection_id for one in waiting if one.open_until}
        wanted = limited | unwell
        if not wanted:
            return {}
        # Only what is missing: to insert beside a row that another worker has locked is to wait.
        known = {one.connection_id for one in waiting if one.has_breaker}
        missing = [BreakerState(pk=pk) for pk in limited - known]
        BreakerState.objects.bulk_create(missing, ignore_conflicts=True)
        rows = BreakerState.objects.filter(pk__in=wanted).order_by("pk")
        exact = {row.pk: row for row in rows.select_for_update(skip_locked=True)}
        for pk in wanted - exact.keys():
            self._limits.pop(pk)
        return exact

    def _capacity(self, one: PendingConnection, in_flight: int) -> ConnectionCapacity:
        pk = one.connection_id
        if pk not in self._limits:
            return ConnectionCapacity(connection_id=pk, capacity=0)
        row = self._exact.get(pk)
        health = row.to_domain() if row else breaker.Breaker(closed_at=one.closed_at)
        capacity = breaker.capacity(
            health,
            most=self._max_in_flight(one),
            in_flight=in_flight if row else one.in_flight,
            now=self._now,
        )
        if self._limits[pk].per_second is not None:
            capacity = min(capacity, int(self._tokens(pk)))
        return ConnectionCapacity(
            connection_id=pk, capacity=capacity, is_trial=not health.is_closed
        )

    def _max_in_flight(self, one: PendingConnection) -> int:
        """How many may be in flight: as the connection says, else few while it thinks for long."""
        told = self._limits[one.connection_id].in_flight
        if told is not None:
            return told
        since = one.oldest_in_flight_since
        is_slow = since is not None and self._now - since > _SLOW_AFTER
        return _MAX_IN_FLIGHT_WHEN_SLOW if is_slow else settings.DELIVERY_THREADS

    def _tokens(self, connection_id: int) -> float:
        row, rate = self._exact[connection_id], self._limits[connection_id].per_second or 0.0
        return breaker.tokens(row.tokens, rate, row.tokens_updated_at or self._now, self._now)


def has_due(now: datetime) -> bool:
    """Whether a delivery could be claimed now, but for limits that pass within a moment.

    Asked of the connections, so that it costs the same whatever waits for one that rests.
    """
    return awake(now).filter(Exists(due(now))).exists()


def awake(now: datetime) -> QuerySet[Connection]:
    """The connections that may be given something: active ones that do not rest."""
    active = Connection.objects.filter(state=Connection.State.ACTIVE)
    return active.exclude(breaker__open_until__gt=now)


def due(now: datetime) -> QuerySet[Delivery]:
    """What is due of each of the connections, as a subquery on them."""
    return Delivery.objects.filter(connection=OuterRef("pk"), due_at__lte=now)


def attempt_timeout() -> timedelta:
    """How long after its claim an attempt is recorded at the latest, if its worker lives."""
    return timedelta(seconds=settings.DELIVERY_TOTAL_TIMEOUT + _MARGIN_SECONDS)


def lost_until(now: datetime) -> datetime:
    """Claims up to this moment are lost, not slow: they take no place, and tell nothing of the CRM.

    Their leases last for longer all the same, since nobody else may send what a worker that is only
    late could still send.
    """
    return now - attempt_timeout()


def in_flight(now: datetime) -> QuerySet[Delivery]:
    """What workers have in hand, in no order; neither what is lost nor a lease that has ended."""
    claims = Delivery.objects.in_flight().order_by()
    return claims.filter(claimed_at__gt=lost_until(now), due_at__gt=now)


def _count_in_flight(connection_ids: Collection[int], now: datetime) -> dict[int, int]:
    if not connection_ids:
        return {}
    rows = in_flight(now).filter(connection__in=connection_ids).values("connection")
    return dict(rows.annotate(count=Count("pk")).values_list("connection", "count"))


def _limits(table: Mapping[str, Any]) -> Limits:
    try:
        return Limits.from_table(table) if table else _UNLIMITED
    except DescriptionError:
        # Its attempts will say so; the claims of all others must not fail for it.
        return _UNLIMITED


def _must_be_exact(limits: Limits) -> bool:
    return limits.per_second is not None or limits.in_flight is not None
