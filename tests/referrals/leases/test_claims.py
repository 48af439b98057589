"""Tests of claiming deliveries: which, in what order, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from connections.models import Account, Campaign, Connection
from referrals.leases import Claim, has_due
from referrals.models import BreakerState, Delivery, DeliveryAttempt
from referrals.statuses import Trigger
from tests.referrals.factories import (
    LEASE,
    NOW,
    SECOND,
    claim_due,
    claimed_ids,
    create_pending,
    pks,
)

MANY = [f"jo{number}@example.com" for number in range(50)]


@pytest.fixture(autouse=True)
def total_timeout(settings: Any) -> None:
    """With five seconds of margin, a claim may take 35."""
    settings.DELIVERY_TOTAL_TIMEOUT = 30


@pytest.fixture
def others(account: Account) -> list[Connection]:
    """Two more connections."""
    return [Connection.objects.create(account=account, name=name) for name in ("B", "C")]


def test_a_claim_holds_what_an_attempt_needs(campaign: Campaign, connection: Connection) -> None:
    [delivery] = create_pending(
        campaign, connection, "jo@example.com", attempts_used=3, attempt_number=4
    )

    assert claim_due() == [
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
    [delivery] = create_pending(campaign, connection, "a")
    attributes = {"audience_id": 2581697744617019994, "bid_price": "2.50", "title": "“Grüße” 👋\n"}
    delivery.referral.attributes = attributes
    delivery.referral.save()

    assert claim_due()[0].attributes == attributes


def test_the_oldest_deliveries_are_claimed_first(
    campaign: Campaign, connection: Connection
) -> None:
    young = create_pending(campaign, connection, "a", "b", due=NOW + 9 * SECOND)
    old = create_pending(campaign, connection, "c", "d", "e", due=NOW)

    assert claimed_ids(claim_due(3)) == pks(old)
    assert claimed_ids(claim_due(3)) == pks(young)


def test_a_delivery_that_is_not_due_is_not_claimed(
    campaign: Campaign, connection: Connection
) -> None:
    first, *_ = create_pending(campaign, connection, "a", "b", "c", due=NOW)
    [delivered] = create_pending(campaign, connection, "d")
    Delivery.objects.filter(pk=delivered.pk).update(status="delivered", due_at=None)

    assert claimed_ids(claim_due(after=SECOND * 0)) == [first.pk]


def test_connections_get_fair_shares_of_a_claim(
    campaign: Campaign, connection: Connection, others: list[Connection]
) -> None:
    create_pending(campaign, connection, *(f"a{number}" for number in range(20)))
    for other in others:
        create_pending(
            campaign, other, f"{other}1", f"{other}2", "x" + other.name, due=NOW + 9 * SECOND
        )

    claims = claim_due(9)

    connection_ids = [one.connection_id for one in claims]
    assert [connection_ids.count(one.pk) for one in (connection, *others)] == [3, 3, 3]


def test_no_connection_starves_beside_another_with_a_long_backlog(
    campaign: Campaign, connection: Connection, others: list[Connection]
) -> None:
    create_pending(campaign, connection, *(f"a{number}" for number in range(20)))
    [late] = create_pending(campaign, others[0], "b", due=NOW + 30 * SECOND)

    assert late.pk in claimed_ids(claim_due(2))


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_a_claim_never_exceeds_its_limit(
    campaign: Campaign, connection: Connection, others: list[Connection], limit: int
) -> None:
    for one in (connection, *others):
        create_pending(campaign, one, *(f"{one}{number}" for number in range(4)))

    assert len(claim_due(limit)) == limit
    assert Delivery.objects.filter(claimed_at=None).count() == 12 - limit


@pytest.mark.parametrize("state", ["paused", "held", "open"])
def test_a_paused_held_or_open_connection_keeps_its_deliveries(
    campaign: Campaign, connection: Connection, others: list[Connection], state: str
) -> None:
    unclaimed = create_pending(campaign, connection, "a", "b")
    claimable = create_pending(campaign, others[0], "c")
    if state == "open":
        BreakerState.objects.create(connection=connection, open_until=NOW + SECOND * 61)
    else:
        Connection.objects.filter(pk=connection.pk).update(state=state)

    assert claimed_ids(claim_due()) == pks(claimable)
    assert not has_due(NOW + SECOND * 60)
    untouched = Delivery.objects.filter(pk__in=pks(unclaimed), claimed_at=None, attempt_number=0)
    assert untouched.count() == 2


def test_a_connection_whose_breaker_is_half_open_is_claimed_from(
    campaign: Campaign, connection: Connection
) -> None:
    create_pending(campaign, connection, "a")
    BreakerState.objects.create(connection=connection, open_until=NOW + SECOND * 60)

    assert has_due(NOW + SECOND * 60)
    assert len(claim_due()) == 1


def test_a_claimed_delivery_is_not_claimed_again_before_its_lease_ends(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = create_pending(campaign, connection, "a")

    claim_due()

    delivery.refresh_from_db()
    assert delivery.claimed_at == NOW + SECOND * 60
    assert delivery.due_at == NOW + SECOND * 60 + LEASE
    assert (delivery.attempt_number, delivery.attempts_used, delivery.status) == (1, 0, "pending")
    assert claim_due(after=SECOND * 149) == []
    assert not has_due(NOW + SECOND * 149)
    delivery.refresh_from_db()
    assert delivery.attempt_number == 1
    assert not DeliveryAttempt.objects.exists()


@pytest.mark.parametrize(("limits", "capacity"), [({}, 32), ({"in_flight": 12}, 12)])
def test_a_claim_older_than_any_attempt_uses_no_capacity_and_makes_no_connection_slow(
    campaign: Campaign, connection: Connection, limits: dict[str, int], capacity: int
) -> None:
    Connection.objects.update(limits=limits)
    create_pending(campaign, connection, *MANY)
    assert len(claim_due(5)) == 5
    assert len(claim_due(after=SECOND * (60 + 35))) == capacity


@pytest.mark.parametrize(("limits", "capacity"), [({}, 0), ({"in_flight": 12}, 7)])
@pytest.mark.parametrize("seconds", [2.1, 34.9])
def test_a_claim_younger_than_an_attempt_counts_as_in_flight(
    campaign: Campaign,
    connection: Connection,
    limits: dict[str, int],
    capacity: int,
    seconds: float,
) -> None:
    Connection.objects.update(limits=limits)
    create_pending(campaign, connection, *MANY)
    assert len(claim_due(5)) == 5
    assert len(claim_due(after=SECOND * (60 + seconds))) == capacity


def test_only_young_claims_count_as_in_flight(campaign: Campaign, connection: Connection) -> None:
    create_pending(campaign, connection, *MANY)
    assert len(claim_due(5)) == 5
    assert len(claim_due(3, after=SECOND * (60 + 35))) == 3
    assert len(claim_due(1, after=SECOND * (60 + 37))) == 1, "two seconds are not long yet"
    assert len(claim_due(after=SECOND * (60 + 38))) == 1, "five, of which four are in flight"


def test_only_young_claims_make_a_connection_slow(
    campaign: Campaign, connection: Connection
) -> None:
    create_pending(campaign, connection, *MANY)
    assert len(claim_due(5)) == 5
    assert len(claim_due(3, after=SECOND * (60 + 35))) == 3
    assert len(claim_due(9, after=SECOND * (60 + 36))) == 9
    assert claim_due(after=SECOND * (60 + 38)) == []


def test_a_claim_older_than_any_attempt_stays_claimed_until_its_lease_ends(
    campaign: Campaign, connection: Connection
) -> None:
    old, young = create_pending(campaign, connection, "a", "b")
    assert claimed_ids(claim_due(1)) == [old.pk]

    assert claimed_ids(claim_due(after=SECOND * 149)) == [young.pk]
    assert not DeliveryAttempt.objects.exists()

    assert claimed_ids(claim_due(after=SECOND * 150)) == [old.pk]
    assert DeliveryAttempt.objects.get().delivery_id == old.pk


def test_an_expired_lease_is_recorded_as_an_unknown_attempt(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = create_pending(campaign, connection, "a")
    claim_due()
    assert has_due(NOW + SECOND * 150)

    [again] = claim_due(after=SECOND * 150)

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


def test_a_delivery_that_is_lost_twice_has_two_unknown_attempts(
    campaign: Campaign, connection: Connection
) -> None:
    create_pending(campaign, connection, "a")
    for window in (1, 10, 20):
        claims = claim_due(after=SECOND * 60 * window)

    assert (claims[0].number, claims[0].attempts_used) == (3, 2)
    attempts = DeliveryAttempt.objects.values_list("number", "outcome", "error_code")
    assert list(attempts) == [(1, "unknown", "lease_lost"), (2, "unknown", "lease_lost")]
