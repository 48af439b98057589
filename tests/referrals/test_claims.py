"""The lease, the same on both databases: who claims what, for how long, and who may complete it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connections.models import Account, Campaign, Connection
from connections.models.exchanges import dump_headers
from referrals.claims import Claim, Completion, claim, complete, has_due
from referrals.models import Delivery, DeliveryAttempt
from referrals.states import Cause, DeliveryStatus
from tests.referrals.making import NOW, numbers, waiting

SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=90)


@pytest.fixture
def others(account: Account) -> list[Connection]:
    """Two more connections."""
    return [Connection.objects.create(account=account, name=name) for name in ("B", "C")]


def take(limit: int = 32, *, after: timedelta = SECOND * 60) -> list[Claim]:
    claims = claim(limit=limit, now=NOW + after, lease=LEASE)
    return sorted(claims, key=lambda taken: taken.delivery_id)


def ids(claims: list[Claim]) -> list[int]:
    return [taken.delivery_id for taken in claims]


def attempt(**columns: Any) -> dict[str, Any]:
    return {
        "cause": "first",
        "started_at": NOW,
        "duration_ms": 12,
        "outcome": "delivered",
        "rule": "status 200 → delivered",
        "reason": "",
        "reference": "abc",
        "request_method": "POST",
        "request_url": "https://crm.example/people",
        "request_headers": dump_headers((("Accept", "*/*"), ("X-Name", "Grüße"))),
        "request_body": b'{"a": 1}',
        "response_status": 200,
        "response_headers": "",
        "response_body": None,
        "error_code": "",
        "error_message": "",
        **columns,
    }


def completion(taken: Claim, **fields: Any) -> Completion:
    settled: dict[str, Any] = {
        "delivery_id": taken.delivery_id,
        "number": taken.number,
        "status": DeliveryStatus.DELIVERED,
        "outcome": "delivered",
        "step": taken.step + 1,
        "due_at": None,
        "settled_at": NOW,
        "next_cause": Cause.RETRY,
        "attempt": attempt(),
    }
    return Completion(**{**settled, **fields})


def test_a_claim_brings_along_what_an_attempt_needs(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "jo@example.com", step=3, attempt_number=4)

    assert take() == [
        Claim(
            delivery_id=delivery.pk,
            number=5,
            connection_id=connection.pk,
            referral_id=delivery.referral_id,
            step=3,
            cause=Cause.FIRST,
            created_at=NOW,
            lost_at=None,
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


@pytest.mark.parametrize(
    "closed",
    [{"state": "paused"}, {"state": "held"}, {"resting_until": NOW + SECOND * 61}],
)
def test_a_connection_that_is_closed_keeps_what_waits(
    campaign: Campaign, connection: Connection, others: list[Connection], closed: dict[str, Any]
) -> None:
    kept = waiting(campaign, connection, "a", "b")
    open_one = waiting(campaign, others[0], "c")
    Connection.objects.filter(pk=connection.pk).update(**closed)

    assert ids(take()) == numbers(open_one)
    assert not has_due(NOW + SECOND * 60)
    untouched = Delivery.objects.filter(pk__in=numbers(kept), claimed_at=None, attempt_number=0)
    assert untouched.count() == 2


def test_a_connection_that_has_rested_is_claimed_from(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, "a")
    Connection.objects.update(resting_until=NOW + SECOND * 60)

    assert has_due(NOW + SECOND * 60)
    assert len(take()) == 1


def test_a_claim_is_a_lease(campaign: Campaign, connection: Connection) -> None:
    [delivery] = waiting(campaign, connection, "a")

    take()

    delivery.refresh_from_db()
    assert delivery.claimed_at == NOW + SECOND * 60
    assert delivery.due_at == NOW + SECOND * 60 + LEASE
    assert (delivery.attempt_number, delivery.step, delivery.status) == (1, 0, "pending")
    assert take(after=SECOND * 149) == []
    assert not has_due(NOW + SECOND * 149)
    delivery.refresh_from_db()
    assert delivery.attempt_number == 1
    assert not DeliveryAttempt.objects.exists()


def test_a_lease_that_ends_is_an_attempt_of_which_nobody_knows(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    take()
    assert has_due(NOW + SECOND * 150)

    [again] = take(after=SECOND * 150)

    assert (again.number, again.step, again.lost_at) == (2, 1, NOW + SECOND * 60)
    lost = DeliveryAttempt.objects.get()
    assert (lost.delivery_id, lost.number, lost.cause) == (delivery.pk, 1, "first")
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
    for minutes in (1, 10, 20):
        claims = take(after=SECOND * 60 * minutes)

    assert (claims[0].number, claims[0].step) == (3, 2)
    attempts = DeliveryAttempt.objects.values_list("number", "outcome", "error_code")
    assert list(attempts) == [(1, "unknown", "lease_lost"), (2, "unknown", "lease_lost")]


def test_a_worker_that_lost_its_lease_can_not_overwrite(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, "a")
    [first] = take()
    take(after=SECOND * 200)
    before = list(Delivery.objects.values())

    assert complete([completion(first)]) == set()

    assert list(Delivery.objects.values()) == before
    assert list(DeliveryAttempt.objects.values_list("number", "outcome")) == [(1, "unknown")]


def test_a_worker_that_is_late_may_complete_while_nobody_has_claimed_again(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    [taken] = take()

    assert complete([completion(taken, settled_at=NOW + SECOND * 999)]) == {delivery.pk}


def test_a_claim_is_completed_once(campaign: Campaign, connection: Connection) -> None:
    [delivery] = waiting(campaign, connection, "a")
    [taken] = take()

    assert complete([completion(taken)]) == {delivery.pk}
    assert complete([completion(taken)]) == set()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.outcome, delivery.step) == ("delivered", "delivered", 1)
    assert (delivery.due_at, delivery.claimed_at, delivery.settled_at) == (None, None, NOW)
    assert DeliveryAttempt.objects.count() == 1


def test_of_many_completions_only_those_that_are_ours_are_kept(
    campaign: Campaign, connection: Connection
) -> None:
    names = [f"a{number}" for number in range(600)]
    deliveries = waiting(campaign, connection, *names, due=NOW - SECOND * 600)
    claims = take(600)
    Delivery.objects.filter(pk=deliveries[300].pk).update(attempt_number=2)

    recorded = complete([completion(taken) for taken in claims])

    assert recorded == set(numbers(deliveries)) - {deliveries[300].pk}
    assert Delivery.objects.filter(status="delivered").count() == 599
    assert DeliveryAttempt.objects.count() == 599


def test_an_attempt_that_waits_for_another_is_due_again(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    [taken] = take()
    again_at = NOW + SECOND * 65
    waits = completion(
        taken,
        status=DeliveryStatus.PENDING, outcome="unavailable", due_at=again_at, settled_at=None,
        attempt=attempt(outcome="unavailable", response_status=503),
    )  # fmt: skip

    assert complete([waits]) == {delivery.pk}

    assert take(after=SECOND * 64) == []
    [second] = take(after=SECOND * 65)
    assert (second.number, second.step, second.cause) == (2, 1, Cause.RETRY)
    assert second.lost_at is None
    assert list(DeliveryAttempt.objects.values_list("number", "outcome")) == [(1, "unavailable")]


def test_a_claim_that_was_not_used_leaves_no_attempt(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    [taken] = take()

    assert complete([completion(taken, attempt=None, status=DeliveryStatus.CANCELLED)]) == {
        delivery.pk
    }

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_number) == ("cancelled", 1)
    assert not DeliveryAttempt.objects.exists()


def test_nothing_to_complete_asks_the_database_nothing(
    db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert complete([]) == set()


def test_what_an_attempt_kept_is_read_back_byte_for_byte(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, "a")
    [taken] = take()
    columns = attempt(
        request_body=b"\x00\xff\xfe{}\\n'\"", response_body=b"\x80\x00\xc3(", reason="Grüße 👋 \\N",
        response_headers=dump_headers((("X", "a, b"), ("X", "{c}"))),
    )  # fmt: skip

    complete([completion(taken, attempt=columns)])

    kept = DeliveryAttempt.objects.values().get()
    kept |= {name: bytes(kept[name]) for name in ("request_body", "response_body")}
    assert {name: kept[name] for name in columns} == columns
    assert (kept["delivery_id"], kept["number"]) == (taken.delivery_id, 1)
