"""Which connections have something due, and how much room their limits leave; knows no attempts.

Health rows that must be exact (a probe, a rate) stay locked until the claim commits, so that two
workers never both send the one probe or spend the same token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

from django.conf import settings
from django.db.models import Count, DateTimeField, IntegerField, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

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


class _Waiting(TypedDict):
    """A connection with something due, as the database tells of it."""

    pk: int
    limits: dict[str, Any]
    in_flight: int
    thinks_since: datetime | None


class OpenLanes:
    """The connections that wait longest, up to `limit`; made and used in one transaction."""

    def __init__(self, limit: int, now: datetime) -> None:
        self._now = now
        rows = _waiting(limit, now)
        self._limits = {row["pk"]: _limits(row["limits"]) for row in rows}
        self._health = {row.pk: row for row in _health_of(self._limits)}
        self._exact = self._lock_exact_ones()
        self.lanes = [self._lane(row) for row in rows]

    def spend(self, shares: Mapping[int, int]) -> None:
        """Take the tokens that the shares cost, and let no other probe begin."""
        patience = settings.DELIVERY_TOTAL_TIMEOUT + _PROBE_MARGIN_SECONDS
        for connection_id in shares.keys() & self._exact.keys():
            row = self._exact[connection_id]
            row.tokens = self._tokens(connection_id) - shares[connection_id]
            row.tokens_at = self._now
            if not row.as_value().is_well:
                row.take(
                    breaker.begin_probe(row.as_value(), self._now, timedelta(seconds=patience))
                )
            row.save(update_fields=["tokens", "tokens_at", "resting_until"])

    def _lock_exact_ones(self) -> dict[int, ConnectionHealth]:
        """Locked rows of limited and unwell connections; what another worker holds is left out."""
        rated = {pk for pk, limits in self._limits.items() if limits.per_second is not None}
        missing = [ConnectionHealth(pk=pk) for pk in rated - self._health.keys()]
        ConnectionHealth.objects.bulk_create(missing, ignore_conflicts=True)
        unwell = {pk for pk, row in self._health.items() if not row.as_value().is_well}
        rows = ConnectionHealth.objects.filter(pk__in=rated | unwell).order_by("pk")
        exact = {row.pk: row for row in rows.select_for_update(skip_locked=True)}
        for pk in (rated | unwell) - exact.keys():
            self._limits.pop(pk)
        return exact

    def _lane(self, row: _Waiting) -> Lane:
        connection_id = row["pk"]
        if connection_id not in self._limits:
            return Lane(connection_id=connection_id, room=0)
        known = self._exact.get(connection_id) or self._health.get(connection_id)
        health = known.as_value() if known else breaker.Health()
        room = breaker.room(health, most=self._most(row), in_flight=row["in_flight"], now=self._now)
        if self._limits[connection_id].per_second is not None:
            room = min(room, int(self._tokens(connection_id)))
        return Lane(connection_id=connection_id, room=room, is_probe=not health.is_well)

    def _most(self, row: _Waiting) -> int:
        """How many may be in flight: as the connection says, else few while it thinks for long."""
        told = self._limits[row["pk"]].in_flight
        if told is not None:
            return told
        thinks_since = row["thinks_since"]
        is_slow = thinks_since is not None and self._now - thinks_since > _LONG_THOUGHT
        return _MOST_WHILE_SLOW if is_slow else settings.DELIVERY_THREADS

    def _tokens(self, connection_id: int) -> float:
        row, rate = self._exact[connection_id], self._limits[connection_id].per_second
        if rate is None:
            return row.tokens
        since = row.tokens_at or self._now
        return breaker.tokens(row.tokens, rate, since, self._now)


def _waiting(limit: int, now: datetime) -> list[_Waiting]:
    due = Delivery.objects.filter(connection=OuterRef("pk"), due_at__lte=now)
    oldest = Subquery(due.order_by("due_at").values("due_at")[:1], output_field=DateTimeField())
    in_hand = Delivery.objects.filter(connection=OuterRef("pk"), due_at__gt=now).under_way()
    by_connection = in_hand.order_by().values("connection")
    in_flight = by_connection.annotate(count=Count("pk")).values("count")
    thinks_since = by_connection.annotate(oldest=Min("claimed_at")).values("oldest")
    rows: Any = (
        Connection.objects.filter(state=Connection.State.ACTIVE)
        .alias(oldest=oldest)
        .filter(oldest__isnull=False)
        .exclude(health__resting_until__gt=now)
        .annotate(
            in_flight=Coalesce(Subquery(in_flight, output_field=IntegerField()), 0),
            thinks_since=Subquery(thinks_since, output_field=DateTimeField()),
        )
        .order_by("oldest")
        .values("pk", "limits", "in_flight", "thinks_since")[:limit]
    )
    return list(rows)


def _health_of(connection_ids: Iterable[int]) -> Iterable[ConnectionHealth]:
    return ConnectionHealth.objects.filter(pk__in=list(connection_ids))


def _limits(table: dict[str, Any]) -> Limits:
    return Limits.from_table(table) if table else _UNLIMITED
