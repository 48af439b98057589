"""How many of each connection a claim takes: its limits, its health, and who else claims."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction

from connections.models import Account, Campaign, Connection
from referrals.leases import Claim, claim, complete, has_due
from referrals.models import BreakerState
from referrals.throttling import breaker
from tests.referrals.factories import LEASE, NOW, in_threads, result, waiting

SECOND = timedelta(seconds=1)
LATER = NOW + timedelta(minutes=5)
_MAX_SECONDS = 20


def names(count: int, *, start: int = 0) -> list[str]:
    return [f"jo{number}@example.com" for number in range(start, start + count)]


@pytest.fixture
def other(account: Account) -> Connection:
    return Connection.objects.create(account=account, name="Other")


def limit(connection: Connection, **limits: Any) -> None:
    Connection.objects.filter(pk=connection.pk).update(limits=limits)


def take(number: int = 32, *, now: datetime = LATER) -> list[Claim]:
    return claim(limit=number, now=now, lease=LEASE)


def amounts(claims: list[Claim]) -> dict[int, int]:
    return dict(Counter(one.connection_id for one in claims))


def open_breaker(connection: Connection, *, until: datetime) -> None:
    row, _ = BreakerState.objects.get_or_create(pk=connection.pk)
    row.open_until, row.cooldown_seconds = until, 30
    row.save()


def test_a_connection_that_answers_at_once_may_use_every_thread(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, *names(40))
    assert len(take()) == 32
    assert BreakerState.objects.count() == 0


def test_no_more_are_in_flight_than_the_connection_allows(
    campaign: Campaign, connection: Connection, other: Connection
) -> None:
    limit(connection, in_flight=2)
    waiting(campaign, connection, *names(5))
    waiting(campaign, other, *names(5, start=5))

    claims = take()
    assert amounts(claims) == {connection.pk: 2, other.pk: 5}
    assert take() == []

    complete([result(one) for one in claims if one.connection_id == connection.pk][:1])
    assert amounts(take()) == {connection.pk: 1}


@pytest.mark.parametrize("lease", [6 * SECOND, LEASE])
def test_a_lease_that_has_ended_takes_no_place(
    campaign: Campaign, connection: Connection, lease: timedelta
) -> None:
    limit(connection, in_flight=1)
    waiting(campaign, connection, *names(2))
    [lost] = claim(limit=32, now=LATER, lease=lease)
    [again] = take(now=LATER + lease + SECOND)
    assert again.delivery_id != lost.delivery_id, "the other one has waited longer"


@pytest.mark.parametrize(("in_flight", "more"), [(3, 2), (5, 0), (9, 0)])
def test_a_connection_that_thinks_for_long_gets_no_more_than_five_threads(
    campaign: Campaign, connection: Connection, in_flight: int, more: int
) -> None:
    waiting(campaign, connection, *names(20))
    assert len(take(in_flight)) == in_flight
    assert len(take(1, now=LATER + 2 * SECOND)) == 1, "two seconds are not long yet"
    assert len(take(now=LATER + 3 * SECOND)) == max(0, more - 1)


def test_a_connection_that_says_how_many_may_think_for_as_long_as_it_likes(
    campaign: Campaign, connection: Connection
) -> None:
    limit(connection, in_flight=12)
    waiting(campaign, connection, *names(20))
    assert len(take(10)) == 10
    assert len(take(now=LATER + 30 * SECOND)) == 2


def test_connections_without_room_do_not_stand_in_the_way_of_the_others(
    account: Account, campaign: Campaign, connection: Connection
) -> None:
    for number in range(8):
        full = Connection.objects.create(account=account, name=f"{number}", limits={"in_flight": 1})
        waiting(campaign, full, *names(2, start=2 * number))
    assert len(take()) == 8

    waiting(campaign, connection, *names(3, start=16), due=LATER - SECOND)
    assert amounts(take(4, now=LATER + SECOND)) == {connection.pk: 3}


def test_with_few_free_threads_those_that_wait_longest_come_first(
    campaign: Campaign, connection: Connection, other: Connection
) -> None:
    waiting(campaign, other, *names(3), due=NOW + 30 * SECOND)
    waiting(campaign, connection, *names(3, start=3))
    assert amounts(take(1)) == {connection.pk: 1}
    assert amounts(take(3)) == {connection.pk: 2, other.pk: 1}


def test_a_rate_holds_across_claims(campaign: Campaign, connection: Connection) -> None:
    limit(connection, per_second=5)
    waiting(campaign, connection, *names(9))
    assert len(take()) == 1
    assert take(now=LATER + SECOND / 10) == []
    assert len(take(now=LATER + SECOND / 5)) == 1
    assert len(take(now=LATER + 60 * SECOND)) == 1, "a minute's silence earns one burst, no more"


def test_a_fast_rate_may_send_a_tenth_of_a_second_at_once(
    campaign: Campaign, connection: Connection
) -> None:
    limit(connection, per_second=100)
    waiting(campaign, connection, *names(32))
    [first] = take()
    complete([result(first)])
    assert len(take(now=LATER + SECOND)) == 10, "before, nothing was earned yet"
    assert len(take(now=LATER + 1.05 * SECOND)) == 5


def test_a_rate_leaves_the_others_alone(
    campaign: Campaign, connection: Connection, other: Connection
) -> None:
    limit(connection, per_second=1)
    waiting(campaign, connection, *names(10))
    waiting(campaign, other, *names(40, start=10))
    assert amounts(take()) == {connection.pk: 1, other.pk: 31}


def test_while_a_connection_rests_nothing_of_it_is_due(
    campaign: Campaign, connection: Connection, other: Connection
) -> None:
    waiting(campaign, connection, *names(3))
    open_breaker(connection, until=LATER + SECOND)
    assert take() == []
    assert not has_due(LATER)

    waiting(campaign, other, *names(1, start=3))
    assert amounts(take()) == {other.pk: 1}


def test_after_its_rest_one_probe_is_sent_and_no_other_until_its_time_is_over(
    campaign: Campaign, connection: Connection, settings: Any
) -> None:
    settings.DELIVERY_TOTAL_TIMEOUT = 30
    waiting(campaign, connection, *names(3))
    open_breaker(connection, until=LATER)

    [probe] = take()
    assert probe.is_trial
    assert take(now=LATER + 34 * SECOND) == []
    assert not has_due(LATER + 34 * SECOND)

    health = BreakerState.objects.get()
    assert health.open_until == LATER + 35 * SECOND
    assert health.cooldown_seconds == 30
    assert health.tokens == 1

    complete([result(probe)])
    [second] = take(now=LATER + 35 * SECOND)
    assert second.is_trial


def test_a_probe_that_is_lost_is_followed_by_another(
    campaign: Campaign, connection: Connection, settings: Any
) -> None:
    settings.DELIVERY_TOTAL_TIMEOUT = 30
    waiting(campaign, connection, *names(3))
    open_breaker(connection, until=LATER)
    [lost] = take()
    [second] = take(now=LATER + 35 * SECOND)
    assert second.is_trial
    assert second.delivery_id != lost.delivery_id


def test_an_ordinary_claim_is_no_probe(campaign: Campaign, connection: Connection) -> None:
    waiting(campaign, connection, *names(1))
    assert [one.is_trial for one in take()] == [False]


def test_after_its_recovery_a_connection_begins_gently(
    campaign: Campaign, connection: Connection
) -> None:
    row = BreakerState(pk=connection.pk)
    row.take(breaker.well(LATER))
    row.save()
    waiting(campaign, connection, *names(40))
    found = [len(take(now=LATER + seconds * SECOND)) for seconds in (0, 1, 2)]
    assert found == [1, 0, 1]


@pytest.mark.parametrize("state", [Connection.State.PAUSED, Connection.State.HELD])
def test_nothing_is_taken_of_a_connection_that_is_not_active(
    campaign: Campaign, connection: Connection, state: str
) -> None:
    waiting(campaign, connection, *names(3))
    Connection.objects.update(state=state)
    assert take() == []
    assert not has_due(LATER)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    database.vendor != "postgresql", reason="SQLite has one write lock: claims go in turn there."
)
@pytest.mark.parametrize("kind", ["probe", "rate", "in_flight"])
def test_two_workers_never_share_the_last_place(
    campaign: Campaign, connection: Connection, kind: str
) -> None:
    waiting(campaign, connection, *names(9))
    if kind == "probe":
        open_breaker(connection, until=LATER)
    else:
        limit(connection, **{"per_second" if kind == "rate" else kind: 1})
        BreakerState.objects.create(pk=connection.pk)
    together = Barrier(2)

    def take_and_linger() -> int:
        with transaction.atomic():
            found = len(take())
            together.wait(_MAX_SECONDS)
        return found

    assert sorted(in_threads(take_and_linger, take_and_linger)) == [0, 1]
    assert take() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["probe", "rate", "in_flight"])
def test_of_four_workers_at_once_one_has_the_last_place(
    campaign: Campaign, connection: Connection, kind: str
) -> None:
    waiting(campaign, connection, *names(9))
    if kind == "probe":
        open_breaker(connection, until=LATER)
    else:
        limit(connection, **{"per_second" if kind == "rate" else kind: 1})
    together = Barrier(4)

    def work() -> int:
        together.wait(_MAX_SECONDS)
        return sum(len(take()) for _ in range(5))

    assert sorted(in_threads(*[work] * 4)) == [0, 0, 0, 1]
