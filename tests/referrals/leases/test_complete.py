"""Completions, the same on both databases: who may complete a claim, and what is kept of it."""

from __future__ import annotations

from typing import Any

from connections.models import Campaign, Connection
from connections.models.exchanges import dump_headers
from referrals.leases import complete
from referrals.models import Delivery, DeliveryAttempt
from referrals.statuses import DeliveryStatus, Trigger
from tests.referrals.factories import (
    NOW,
    SECOND,
    attempt_columns,
    numbers,
    result,
    take,
    waiting,
)


def test_a_worker_that_lost_its_lease_can_not_overwrite(
    campaign: Campaign, connection: Connection
) -> None:
    waiting(campaign, connection, "a")
    [first] = take()
    take(after=SECOND * 200)
    before = list(Delivery.objects.values())

    assert complete([result(first)]) == set()

    assert list(Delivery.objects.values()) == before
    assert list(DeliveryAttempt.objects.values_list("number", "outcome")) == [(1, "unknown")]


def test_a_worker_that_is_late_may_complete_while_nobody_has_claimed_again(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    [taken] = take()

    assert complete([result(taken, finished_at=NOW + SECOND * 999)]) == {delivery.pk}


def test_a_claim_is_completed_once(campaign: Campaign, connection: Connection) -> None:
    [delivery] = waiting(campaign, connection, "a")
    [taken] = take()

    assert complete([result(taken)]) == {delivery.pk}
    assert complete([result(taken)]) == set()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == (
        "delivered",
        "delivered",
        1,
    )
    assert (delivery.due_at, delivery.claimed_at, delivery.finished_at) == (None, None, NOW)
    assert DeliveryAttempt.objects.count() == 1


def test_of_many_completions_only_those_that_are_ours_are_kept(
    campaign: Campaign, connection: Connection, settings: Any
) -> None:
    settings.DELIVERY_THREADS = 600
    names = [f"a{number}" for number in range(600)]
    deliveries = waiting(campaign, connection, *names, due=NOW - SECOND * 600)
    claims = take(600)
    Delivery.objects.filter(pk=deliveries[300].pk).update(attempt_number=2)

    recorded = complete([result(taken) for taken in claims])

    assert recorded == set(numbers(deliveries)) - {deliveries[300].pk}
    assert Delivery.objects.filter(status="delivered").count() == 599
    assert DeliveryAttempt.objects.count() == 599


def test_an_attempt_that_waits_for_another_is_due_again(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    [taken] = take()
    again_at = NOW + SECOND * 65
    waits = result(
        taken,
        status=DeliveryStatus.PENDING, outcome="unavailable", due_at=again_at, finished_at=None,
        attempt=attempt_columns(outcome="unavailable", response_status=503),
    )  # fmt: skip

    assert complete([waits]) == {delivery.pk}

    assert take(after=SECOND * 64) == []
    [second] = take(after=SECOND * 65)
    assert (second.number, second.attempts_used, second.trigger) == (2, 1, Trigger.RETRY)
    assert second.previous_claimed_at is None
    assert list(DeliveryAttempt.objects.values_list("number", "outcome")) == [(1, "unavailable")]


def test_a_claim_that_was_not_used_leaves_no_attempt(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = waiting(campaign, connection, "a")
    [taken] = take()

    assert complete([result(taken, attempt=None, status=DeliveryStatus.CANCELLED)]) == {delivery.pk}

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
    columns = attempt_columns(
        request_body=b"\x00\xff\xfe{}\\n'\"", response_body=b"\x80\x00\xc3(", reason="Grüße 👋 \\N",
        response_headers=dump_headers((("X", "a, b"), ("X", "{c}"))),
    )  # fmt: skip

    complete([result(taken, attempt=columns)])

    kept = DeliveryAttempt.objects.get()
    assert kept.request_body is not None
    assert kept.response_body is not None
    # PostgreSQL's driver hands bytes out as a memoryview, which equals them.
    assert {name: getattr(kept, name) for name in columns} == columns
    assert (kept.delivery_id, kept.number) == (taken.delivery_id, 1)
