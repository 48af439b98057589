"""Which connections have something due, and how much room their limits leave; knows no attempts.

Health rows of connections that must be exact (a probe, a limit) stay locked until the claim
commits, so that two workers never both send the one probe, spend the same token or take the last
place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

from django.conf import settings
from django.db.models import Count, DateTimeField, Exists, Min, OuterRef, QuerySet, Subquery

from connections.http.errors import DescriptionError
from connections.http.spec import Limits
from connections.models import Connection
from referrals import breaker
from referrals.allotment import Lane
from referrals.models import ConnectionHealth, Delivery

_PROBE_MARGIN_SECONDS = 5
_UNLIMITED = Limits()

_LONG_THOUGHT = timedelta(seconds=2)
_MOST_WHILE_SLOW = 5
"""A connection that answers at once may use all threads, since it gives them back at once; one that
has let a request wait for long gets no more than these, so that it never takes them from others."""


class _InHand(TypedDict):
    """What workers have in hand of a connection, as the database tells of it."""

    count: int
    thinks_since: datetime


class OpenLanes:
    """All connections with something due, those that wait longest first; made and used in one
    transaction. All, because those without room must not stand in the way of the others."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._limits = {pk: _limits(table) for pk, table in _waiting(now)}
        waiting = list(self._limits)
        self._health = {row.pk: row for row in _health_of(waiting)}
        self._exact = self._lock_exact_ones()
        # Counted under the locks, or another worker's claim could be missing.
        self._in_hand = _in_hand(now)
        self.lanes = [self._lane(connection_id) for connection_id in waiting]

    def spend(self, shares: Mapping[int, int]) -> None:
        """Take the tokens that the shares cost, and let no other probe begin."""
        patience = settings.DELIVERY_TOTAL_TIMEOUT + _PROBE_MARGIN_SECONDS
        for connection_id in shares.keys() & self._exact.keys():
            row = self._exact[connection_id]
            if self._limits[connection_id].per_second is not None:
                row.tokens = self._tokens(connection_id) - shares[connection_id]
                row.tokens_at = self._now
            if not row.as_value().is_well:
                row.take(
                    breaker.begin_probe(row.as_value(), self._now, timedelta(seconds=patience))
                )
            row.save(update_fields=["tokens", "tokens_at", "resting_until"])

    def _lock_exact_ones(self) -> dict[int, ConnectionHealth]:
        """Locked rows of limited and unwell connections; what another worker holds is left out."""
        limited = {pk for pk, limits in self._limits.items() if _must_be_exact(limits)}
        missing = [ConnectionHealth(pk=pk) for pk in limited - self._health.keys()]
        ConnectionHealth.objects.bulk_create(missing, ignore_conflicts=True)
        unwell = {pk for pk, row in self._health.items() if not row.as_value().is_well}
        rows = ConnectionHealth.objects.filter(pk__in=limited | unwell).order_by("pk")
        exact = {row.pk: row for row in rows.select_for_update(skip_locked=True)}
        for pk in (limited | unwell) - exact.keys():
            self._limits.pop(pk)
        return exact

    def _lane(self, connection_id: int) -> Lane:
        if connection_id not in self._limits:
            return Lane(connection_id=connection_id, room=0)
        known = self._exact.get(connection_id) or self._health.get(connection_id)
        health = known.as_value() if known else breaker.Health()
        in_hand = self._in_hand.get(connection_id)
        room = breaker.room(
            health,
            most=self._most(connection_id),
            in_flight=in_hand["count"] if in_hand else 0,
            now=self._now,
        )
        if self._limits[connection_id].per_second is not None:
            room = min(room, int(self._tokens(connection_id)))
        return Lane(connection_id=connection_id, room=room, is_probe=not health.is_well)

    def _most(self, connection_id: int) -> int:
        """How many may be in flight: as the connection says, else few while it thinks for long."""
        told = self._limits[connection_id].in_flight
        if told is not None:
            return told
        in_hand = self._in_hand.get(connection_id)
        is_slow = in_hand is not None and self._now - in_hand["thinks_since"] > _LONG_THOUGHT
        return _MOST_WHILE_SLOW if is_slow else settings.DELIVERY_THREADS

    def _tokens(self, connection_id: int) -> float:
        row, rate = self._exact[connection_id], self._limits[connection_id].per_second or 0.0
        return breaker.tokens(row.tokens, rate, row.tokens_at or self._now, self._now)


def has_due(now: datetime) -> bool:
    """Whether a delivery could be claimed now, but for limits that pass within a moment.

    Asked of the connections, so that it costs the same whatever waits for one that rests.
    """
    return _awake(now).filter(Exists(_due(now))).exists()


def _waiting(now: datetime) -> Iterable[tuple[int, dict[str, Any]]]:
    oldest = Subquery(
        _due(now).order_by("due_at").values("due_at")[:1], output_field=DateTimeField()
    )
    waiting = _awake(now).alias(oldest=oldest).filter(oldest__isnull=False)
    return waiting.order_by("oldest").values_list("pk", "limits")


def _awake(now: datetime) -> QuerySet[Connection]:
    active = Connection.objects.filter(state=Connection.State.ACTIVE)
    return active.exclude(health__resting_until__gt=now)


def _due(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(connection=OuterRef("pk"), due_at__lte=now)


def _in_hand(now: datetime) -> dict[int, _InHand]:
    """By connection; a lease that has ended counts no more."""
    rows = Delivery.objects.under_way().filter(due_at__gt=now).order_by().values("connection")
    counted = rows.annotate(count=Count("pk"), thinks_since=Min("claimed_at"))
    return {
        row["connection"]: _InHand(count=row["count"], thinks_since=row["thinks_since"])
        for row in counted
    }


def _health_of(connection_ids: Iterable[int]) -> Iterable[ConnectionHealth]:
    return ConnectionHealth.objects.filter(pk__in=list(connection_ids))


def _limits(table: dict[str, Any]) -> Limits:
    try:
        return Limits.from_table(table) if table else _UNLIMITED
    except DescriptionError:
        # Its attempts will say so; the claims of all others must not fail for it.
        return _UNLIMITED


def _must_be_exact(limits: Limits) -> bool:
    return limits.per_second is not None or limits.in_flight is not None
