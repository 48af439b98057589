"""Claims, the same on both databases: what is taken, in which order, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from connections.models import Account, Campaign, Connection
from referrals.leases import Claim, has_due
from referrals.models import BreakerState, Delivery, DeliveryAttempt
from referrals.statuses import Trigger
from tests.referrals.factories import LEASE, NOW, SECOND, ids, numbers, take, waiting

MANY = [f"jo{number}@example.com" for number in range(50)]


@pytest.fixture(autouse=True)
def total_timeout(settings: Any) -> None:
    """With five seconds of margin, a claim may take 35."""
    settings.DELIVERY_TOTAL_TIMEOUT = 30


@pytest.fixture
def others(account: Account) -> list[Connection]:
    """Two more connections."""
    return [Connection.objects.create(account=account, name=name) for name in ("B", "C")]


def test_a_claim_brings_along_what_an_attempt_needs(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "jo@example.com", attempts_used=3, attempt_number=4)

    assert take() == [
        Claim(
            delivery_id=delivery.pk,
            number=5,
            connection_id=connection.pk,
            referral_id=delivery.referral_id,
            attempts_used=3,
            trigger=Trigger.FIRST,
            created_at=NOW,
            previous_claimed_at=None,
            campaign_kind="lead_generation",
            attributes={"email": "jo@example.com"},
        )
    ]


def test_attributes_are_claimed_exactly_as_they_were_stored(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    attributes = {"audience_id": 2581697744617019994, "bid_price": "2.50", "title": "“Grüße” 👋\n"}
    delivery.referral.attributes = attributes
    delivery.referral.save()

    assert take()[0].attributes == attributes


def test_the_oldest_are_claimed_first(campaign: Campaign, connection: Connection) -> None:
    young = waiting(campaign, connection, "a", "b", due=NOW + 9 * SECOND)
    old = waiting(campaign, connection, "c", "d", "e", due=NOW)

    assert ids(take(3)) == numbers(old)
    assert ids(take(3)) == numbers(young)


def test_what_is_not_due_is_not_claimed(campaign: Campaign, connection: Connection) -> None:
    first, *_ = waiting(campaign, connection, "a", "b", "c", due=NOW)
    settled = waiting(campaign, connection, "d")
    Delivery.objects.filter(pk=settled[0].pk).update(status="delivered", due_at=None)

    assert ids(take(after=SECOND * 0)) == [first.pk]


def test_connections_share_fairly(
    campaign: Campaign, connection: Connection, others: list[Connection]
) -> None:
    waiting(campaign, connection, *(f"a{number}" for number in range(20)))
    for other in others:
        waiting(campaign, other, f"{other}1", f"{other}2", "x" + other.name, due=NOW + 9 * SECOND)

    claims = take(9)

    taken = [one.connection_id for one in claims]
    assert [taken.count(one.pk) for one in (connection, *others)] == [3, 3, 3]


def test_no_connection_starves_although_another_never_ends(
    campaign: Campaign, connection: Connection, others: list[Connection]
) -> None:
    waiting(campaign, connection, *(f"a{number}" for number in range(20)))
    [late] = waiting(campaign, others[0], "b", due=NOW + 30 * SECOND)

    assert late.pk in ids(take(2))


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_no_more_is_claimed_than_asked_for(
    campaign: Campaign, connection: Connection, others: list[Connection], limit: int
) -> None:
    for one in (connection, *others):
        waiting(campaign, one, *(f"{one}{number}" for number in range(4)))

    assert len(take(limit)) == limit
    assert Delivery.objects.filter(claimed_at=None).count() == 12 - limit


@pytest.mark.parametrize("closed", ["paused", "held", "resting"])
def test_a_connection_that_is_closed_keeps_what_waits(
    campaign: Campaign, connection: Connection, others: list[Connection], closed: str
) -> None:
    kept = waiting(campaign, connection, "a", "b")
    open_one = waiting(campaign, others[0], "c")
    if closed == "resting":
        BreakerState.objects.create(connection=connection, open_until=NOW + SECOND * 61)
    else:
        Connection.objects.filter(pk=connection.pk).update(state=closed)

    assert ids(take()) == numbers(open_one)
    assert not has_due(NOW + SECOND * 60)
    untouched = Delivery.objects.filter(pk__in=numbers(kept), claimed_at=None, attempt_number=0)
    assert untouched.count() == 2


def test_a_connection_that_has_rested_is_claimed_from(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, "a")
    BreakerState.objects.create(connection=connection, open_until=NOW + SECOND * 60)

    assert has_due(NOW + SECOND * 60)
    assert len(take()) == 1


def test_a_claim_is_a_lease(campaign: Campaign, connection: Connection) -> None:
    [delivery] = waiting(campaign, connection, "a")

    take()

    delivery.refresh_from_db()
    assert delivery.claimed_at == NOW + SECOND * 60
    assert delivery.due_at == NOW + SECOND * 60 + LEASE
    assert (delivery.attempt_number, delivery.attempts_used, delivery.status) == (1, 0, "pending")
    assert take(after=SECOND * 149) == []
    assert not has_due(NOW + SECOND * 149)
    delivery.refresh_from_db()
    assert delivery.attempt_number == 1
    assert not DeliveryAttempt.objects.exists()


@pytest.mark.parametrize(("limits", "room"), [({}, 32), ({"in_flight": 12}, 12)])
def test_what_is_older_than_any_attempt_takes_no_place_and_makes_no_connection_slow(
    campaign: Campaign, connection: Connection, limits: dict[str, int], room: int
) -> None:
    Connection.objects.update(limits=limits)
    waiting(campaign, connection, *MANY)
    assert len(take(5)) == 5
    assert len(take(after=SECOND * (60 + 35))) == room


@pytest.mark.parametrize(("limits", "room"), [({}, 0), ({"in_flight": 12}, 7)])
@pytest.mark.parametrize("seconds", [2.1, 34.9])
def test_what_is_younger_may_still_be_under_way(
    campaign: Campaign, connection: Connection, limits: dict[str, int], room: int, seconds: float
) -> None:
    Connection.objects.update(limits=limits)
    waiting(campaign, connection, *MANY)
    assert len(take(5)) == 5
    assert len(take(after=SECOND * (60 + seconds))) == room


def test_of_old_and_young_claims_only_the_young_ones_count(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, *MANY)
    assert len(take(5)) == 5
    assert len(take(3, after=SECOND * (60 + 35))) == 3
    assert len(take(1, after=SECOND * (60 + 37))) == 1, "two seconds are not long yet"
    assert len(take(after=SECOND * (60 + 38))) == 1, "five, of which four are taken"


def test_how_long_a_connection_thinks_is_told_by_young_claims_only(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, *MANY)
    assert len(take(5)) == 5
    assert len(take(3, after=SECOND * (60 + 35))) == 3
    assert len(take(9, after=SECOND * (60 + 36))) == 9
    assert take(after=SECOND * (60 + 38)) == []


def test_what_is_older_than_any_attempt_stays_claimed_until_its_lease_ends(
    campaign: Campaign, connection: Connection
) -> None:
    old, young = waiting(campaign, connection, "a", "b")
    assert ids(take(1)) == [old.pk]

    assert ids(take(after=SECOND * 149)) == [young.pk]
    assert not DeliveryAttempt.objects.exists()

    assert ids(take(after=SECOND * 150)) == [old.pk]
    assert DeliveryAttempt.objects.get().delivery_id == old.pk


def test_a_lease_that_ends_is_an_attempt_of_which_nobody_knows(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    take()
    assert has_due(NOW + SECOND * 150)

    [again] = take(after=SECOND * 150)

    assert (again.number, again.attempts_used, again.previous_claimed_at) == (
        2,
        1,
        NOW + SECOND * 60,
    )
    lost = DeliveryAttempt.objects.get()
    assert (lost.delivery_id, lost.number, lost.trigger) == (delivery.pk, 1, "first")
    assert (lost.outcome, lost.error_code) == ("unknown", "lease_lost")
    assert lost.error_message == (
        "The worker that was sending this stopped before it could record an answer."
    )
    assert (lost.started_at, lost.duration_ms) == (NOW + SECOND * 60, 90_000)
    assert (lost.request_url, lost.request_body, lost.response_status) == ("", None, None)


def test_a_delivery_that_is_lost_twice_has_two_such_attempts(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, "a")
    for window in (1, 10, 20):
        claims = take(after=SECOND * 60 * window)

    assert (claims[0].number, claims[0].attempts_used) == (3, 2)
    attempts = DeliveryAttempt.objects.values_list("number", "outcome", "error_code")
    assert list(attempts) == [(1, "unknown", "lease_lost"), (2, "unknown", "lease_lost")]
