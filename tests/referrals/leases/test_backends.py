"""Tests that the hand-written SQL of both databases agrees with the querysets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db.models import Min

from connections.models import Account, Campaign, Connection
from referrals.leases import has_due
from referrals.leases.claims import get_backend
from referrals.models import BreakerState, Delivery
from referrals.models.deliveries import attempt_timeout
from referrals.models.sendable import sendable_connections
from referrals.throttling.capacity import PendingConnection
from tests.referrals.factories import LEASE, NOW, SECOND, create_pending

MOMENTS = [None, NOW - SECOND, NOW, NOW + SECOND]
"""What `open_until` may be: closed, half-open since a while and since now, and open."""

YOUNG, LOST = NOW - attempt_timeout() + SECOND, NOW - attempt_timeout()
DELIVERIES: dict[str, dict[str, datetime]] = {
    "due": {"due_at": NOW},
    "later": {"due_at": NOW + SECOND},
    "in flight": {"due_at": NOW + SECOND, "claimed_at": YOUNG},
    "lost": {"due_at": NOW + SECOND, "claimed_at": LOST},
    "lease ended": {"due_at": NOW, "claimed_at": YOUNG},
}


@pytest.fixture
def every_kind(account: Account, campaign: Campaign) -> list[Connection]:
    """Create connections in every state, with breakers in every state and all DELIVERIES."""
    connections = [
        Connection.objects.create(account=account, name=f"{state} {moment}", state=state)
        for state, moment in product(Connection.State.values, MOMENTS)
    ]
    for connection, moment in zip(connections, 3 * MOMENTS, strict=True):
        if moment:
            BreakerState.objects.create(
                connection=connection, open_until=moment, closed_at=NOW - 60 * SECOND
            )
        add_deliveries(campaign, connection, DELIVERIES)
    # Nothing of the last one is due, though it may be sent to.
    idle = Connection.objects.create(account=account, name="idle")
    add_deliveries(campaign, idle, ["later", "in flight", "lost"])
    return [*connections, idle]


def add_deliveries(campaign: Campaign, connection: Connection, names: Iterable[str]) -> None:
    for name in names:
        [delivery] = create_pending(campaign, connection, f"{connection.pk} {name}")
        Delivery.objects.filter(pk=delivery.pk).update(**DELIVERIES[name])


def expected_pending(now: datetime) -> list[PendingConnection]:
    """Return what is pending by the querysets alone, row by row."""
    found = []
    for connection in sendable_connections(now).select_related("breaker"):
        own = Delivery.objects.filter(connection=connection)
        breaker: BreakerState | None = getattr(connection, "breaker", None)
        claims = own.in_flight(now).aggregate(since=Min("claimed_at"))
        pending = PendingConnection(
            connection_id=connection.pk,
            limits=connection.limits,
            has_breaker=breaker is not None,
            open_until=breaker.open_until if breaker else None,
            closed_at=breaker.closed_at if breaker else None,
            in_flight=own.in_flight(now).count(),
            oldest_in_flight_since=claims["since"],
        )
        found += [pending] if own.due(now).exists() else []
    return found


def by_id(pending: PendingConnection) -> int:
    return pending.connection_id


def test_pending_connections_equal_those_of_the_querysets(every_kind: list[Connection]) -> None:
    found = get_backend().pending_connections(NOW)

    assert sorted(found, key=by_id) == sorted(expected_pending(NOW), key=by_id)
    assert [connection.name for connection in every_kind if connection.pk in map(by_id, found)] == [
        f"active {moment}" for moment in MOMENTS[:3]
    ]
    assert {(one.in_flight, one.oldest_in_flight_since) for one in found} == {(1, YOUNG)}


def test_pending_connections_with_a_breaker_have_its_times(every_kind: list[Connection]) -> None:
    found = get_backend().pending_connections(NOW)

    assert sorted((one.has_breaker, one.open_until, one.closed_at) for one in found)[1:] == [
        (True, NOW - SECOND, NOW - 60 * SECOND),
        (True, NOW, NOW - 60 * SECOND),
    ]


def test_claimable_deliveries_are_due_and_of_connections_that_may_be_sent_to(
    every_kind: list[Connection],
) -> None:
    found = Delivery.objects.claimable(NOW)

    assert sorted(found.values_list("connection__name", "referral__external_id")) == sorted(
        (connection.name, f"{connection.pk} {name}")
        for connection in every_kind[:3]
        for name in ("due", "lease ended")
    )


def test_every_claimable_delivery_is_claimed_if_there_is_no_limit(
    every_kind: list[Connection],
) -> None:
    backend = get_backend()
    claimable = set(Delivery.objects.claimable(NOW).values_list("pk", flat=True))
    shares = {one.connection_id: 9 for one in backend.pending_connections(NOW)}

    claims = backend.take(shares, now=NOW, lease_end=NOW + LEASE)

    assert {one.delivery_id for one in claims} == claimable
    assert not Delivery.objects.claimable(NOW).exists()


@pytest.mark.parametrize("seconds", [-2, 0, 2])
def test_something_is_due_if_something_is_claimable(
    every_kind: list[Connection], seconds: int
) -> None:
    now = NOW + timedelta(seconds=seconds)

    assert has_due(now) is Delivery.objects.claimable(now).exists()
    assert bool(get_backend().pending_connections(now)) is has_due(now)


def test_the_longest_waiting_connection_is_pending_first(
    account: Account, campaign: Campaign
) -> None:
    names = ["second", "first", "third"]
    ages: dict[str, Any] = {"second": 5, "first": 9, "third": 1}
    for name in names:
        connection = Connection.objects.create(account=account, name=name)
        create_pending(campaign, connection, name, due=NOW - ages[name] * SECOND)

    found = get_backend().pending_connections(NOW)

    names_by_id = dict(Connection.objects.values_list("pk", "name"))
    assert [names_by_id[one.connection_id] for one in found] == ["first", "second", "third"]
