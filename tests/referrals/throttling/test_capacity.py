"""Tests of how many deliveries of each connection are claimed."""

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
from referrals.throttling.breaker import closed
from referrals.throttling.breaker_rows import from_domain
from tests.referrals.factories import LEASE, NOW, build_result, create_pending, run_in_threads
from tests.timing import WAIT_SECONDS

SECOND = timedelta(seconds=1)
LATER = NOW + timedelta(minutes=5)


def emails(count: int, *, start: int = 0) -> list[str]:
    return [f"jo{number}@example.com" for number in range(start, start + count)]


@pytest.fixture
def other(account: Account) -> Connection:
    return Connection.objects.create(account=account, name="Other")


def set_limits(connection: Connection, **limits: Any) -> None:
    Connection.objects.filter(pk=connection.pk).update(limits=limits)


def claim_due(number: int = 32, *, now: datetime = LATER) -> list[Claim]:
    return claim(limit=number, now=now, lease=LEASE)


def counts_by_connection(claims: list[Claim]) -> dict[int, int]:
    return dict(Counter(one.connection_id for one in claims))


def open_breaker(connection: Connection, *, until: datetime) -> None:
    row, _ = BreakerState.objects.get_or_create(pk=connection.pk)
    row.open_until, row.cooldown_seconds = until, 30
    row.save()


def test_a_connection_that_answers_at_once_may_use_every_thread(
    campaign: Campaign, connection: Connection
) -> None:
    create_pending(campaign, connection, *emails(40))
    assert len(claim_due()) == 32
    assert BreakerState.objects.count() == 0


def test_no_more_are_in_flight_than_the_connection_allows(
    campaign: Campaign, connection: Connection, other: Connection
) -> None:
    set_limits(connection, in_flight=2)
    create_pending(campaign, connection, *emails(5))
    create_pending(campaign, other, *emails(5, start=5))

    claims = claim_due()
    assert counts_by_connection(claims) == {connection.pk: 2, other.pk: 5}
    assert claim_due() == []

    complete([build_result(one) for one in claims if one.connection_id == connection.pk][:1])
    assert counts_by_connection(claim_due()) == {connection.pk: 1}


@pytest.mark.parametrize("lease", [6 * SECOND, LEASE])
def test_an_expired_lease_uses_no_capacity(
    campaign: Campaign, connection: Connection, lease: timedelta
) -> None:
    set_limits(connection, in_flight=1)
    create_pending(campaign, connection, *emails(2))
    [lost] = claim(limit=32, now=LATER, lease=lease)
    [again] = claim_due(now=LATER + lease + SECOND)
    assert again.delivery_id != lost.delivery_id, "the other one has waited longer"


@pytest.mark.parametrize(("in_flight", "more"), [(3, 2), (5, 0), (9, 0)])
def test_a_slow_connection_gets_no_more_than_five_threads(
    campaign: Campaign, connection: Connection, in_flight: int, more: int
) -> None:
    create_pending(campaign, connection, *emails(20))
    assert len(claim_due(in_flight)) == in_flight
    assert len(claim_due(1, now=LATER + 2 * SECOND)) == 1, "two seconds are not long yet"
    assert len(claim_due(now=LATER + 3 * SECOND)) == max(0, more - 1)


def test_a_connection_with_a_limit_in_flight_may_be_slow(
    campaign: Campaign, connection: Connection
) -> None:
    set_limits(connection, in_flight=12)
    create_pending(campaign, connection, *emails(20))
    assert len(claim_due(10)) == 10
    assert len(claim_due(now=LATER + 30 * SECOND)) == 2


def test_connections_without_capacity_do_not_stand_in_the_way_of_the_others(
    account: Account, campaign: Campaign, connection: Connection
) -> None:
    for number in range(8):
        full = Connection.objects.create(account=account, name=f"{number}", limits={"in_flight": 1})
        create_pending(campaign, full, *emails(2, start=2 * number))
    assert len(claim_due()) == 8

    create_pending(campaign, connection, *emails(3, start=16), due=LATER - SECOND)
    assert counts_by_connection(claim_due(4, now=LATER + SECOND)) == {connection.pk: 3}


def test_the_deliveries_that_wait_longest_come_first_with_few_free_threads(
    campaign: Campaign, connection: Connection, other: Connection
) -> None:
    create_pending(campaign, other, *emails(3), due=NOW + 30 * SECOND)
    create_pending(campaign, connection, *emails(3, start=3))
    assert counts_by_connection(claim_due(1)) == {connection.pk: 1}
    assert counts_by_connection(claim_due(3)) == {connection.pk: 2, other.pk: 1}


def test_a_rate_holds_across_claims(campaign: Campaign, connection: Connection) -> None:
    set_limits(connection, per_second=5)
    create_pending(campaign, connection, *emails(9))
    assert len(claim_due()) == 1
    assert claim_due(now=LATER + SECOND / 10) == []
    assert len(claim_due(now=LATER + SECOND / 5)) == 1
    assert len(claim_due(now=LATER + 60 * SECOND)) == 1, (
        "a minute's silence earns one burst, no more"
    )


def test_a_fast_rate_may_send_a_tenth_of_a_second_at_once(
    campaign: Campaign, connection: Connection
) -> None:
    set_limits(connection, per_second=100)
    create_pending(campaign, connection, *emails(32))
    [first] = claim_due()
    complete([build_result(first)])
    assert len(claim_due(now=LATER + SECOND)) == 10, "before, nothing was earned yet"
    assert len(claim_due(now=LATER + 1.05 * SECOND)) == 5


def test_a_rate_limits_only_its_own_connection(
    campaign: Campaign, connection: Connection, other: Connection
) -> None:
    set_limits(connection, per_second=1)
    create_pending(campaign, connection, *emails(10))
    create_pending(campaign, other, *emails(40, start=10))
    assert counts_by_connection(claim_due()) == {connection.pk: 1, other.pk: 31}


def test_a_connection_with_an_open_breaker_has_nothing_due(
    campaign: Campaign, connection: Connection, other: Connection
) -> None:
    create_pending(campaign, connection, *emails(3))
    open_breaker(connection, until=LATER + SECOND)
    assert claim_due() == []
    assert not has_due(LATER)

    create_pending(campaign, other, *emails(1, start=3))
    assert counts_by_connection(claim_due()) == {other.pk: 1}


def test_a_half_open_breaker_allows_one_trial_and_no_other_until_it_has_timed_out(
    campaign: Campaign, connection: Connection, settings: Any
) -> None:
    settings.DELIVERY_TOTAL_TIMEOUT = 30
    create_pending(campaign, connection, *emails(3))
    open_breaker(connection, until=LATER)

    [trial] = claim_due()
    assert trial.is_trial
    assert claim_due(now=LATER + 34 * SECOND) == []
    assert not has_due(LATER + 34 * SECOND)

    row = BreakerState.objects.get()
    assert row.open_until == LATER + 35 * SECOND
    assert row.cooldown_seconds == 30
    assert row.tokens == 1

    complete([build_result(trial)])
    [second] = claim_due(now=LATER + 35 * SECOND)
    assert second.is_trial


def test_a_lost_trial_is_followed_by_another(
    campaign: Campaign, connection: Connection, settings: Any
) -> None:
    settings.DELIVERY_TOTAL_TIMEOUT = 30
    create_pending(campaign, connection, *emails(3))
    open_breaker(connection, until=LATER)
    [lost] = claim_due()
    [second] = claim_due(now=LATER + 35 * SECOND)
    assert second.is_trial
    assert second.delivery_id != lost.delivery_id


def test_an_ordinary_claim_is_no_trial(campaign: Campaign, connection: Connection) -> None:
    create_pending(campaign, connection, *emails(1))
    assert [one.is_trial for one in claim_due()] == [False]


def test_a_recovered_connection_ramps_up(campaign: Campaign, connection: Connection) -> None:
    BreakerState.objects.create(pk=connection.pk, **from_domain(closed(LATER)))
    create_pending(campaign, connection, *emails(40))
    found = [len(claim_due(now=LATER + seconds * SECOND)) for seconds in (0, 1, 2)]
    assert found == [1, 0, 1]


@pytest.mark.parametrize("state", [Connection.State.PAUSED, Connection.State.HELD])
def test_no_delivery_of_an_inactive_connection_is_claimed(
    campaign: Campaign, connection: Connection, state: str
) -> None:
    create_pending(campaign, connection, *emails(3))
    Connection.objects.update(state=state)
    assert claim_due() == []
    assert not has_due(LATER)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    database.vendor != "postgresql", reason="SQLite has one write lock: claims go in turn there."
)
@pytest.mark.parametrize("kind", ["trial", "rate", "in_flight"])
def test_two_workers_never_both_claim_the_last_free_place(
    campaign: Campaign, connection: Connection, kind: str
) -> None:
    create_pending(campaign, connection, *emails(9))
    if kind == "trial":
        open_breaker(connection, until=LATER)
    else:
        set_limits(connection, **{"per_second" if kind == "rate" else kind: 1})
        BreakerState.objects.create(pk=connection.pk)
    together = Barrier(2)

    def claim_and_linger() -> int:
        with transaction.atomic():
            found = len(claim_due())
            together.wait(WAIT_SECONDS)
        return found

    assert sorted(run_in_threads(claim_and_linger, claim_and_linger)) == [0, 1]
    assert claim_due() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["trial", "rate", "in_flight"])
def test_four_concurrent_workers_claim_the_last_free_place_once(
    campaign: Campaign, connection: Connection, kind: str
) -> None:
    create_pending(campaign, connection, *emails(9))
    if kind == "trial":
        open_breaker(connection, until=LATER)
    else:
        set_limits(connection, **{"per_second" if kind == "rate" else kind: 1})
    together = Barrier(4)

    def work() -> int:
        together.wait(WAIT_SECONDS)
        return sum(len(claim_due()) for _ in range(5))

    assert sorted(run_in_threads(*[work] * 4)) == [0, 0, 0, 1]
