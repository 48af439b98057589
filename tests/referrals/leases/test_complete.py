"""Tests of completing claims."""

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
    build_result,
    claim_due,
    create_pending,
    pks,
)


def test_a_worker_that_lost_its_lease_cannot_overwrite(
    campaign: Campaign, connection: Connection
) -> None:
    create_pending(campaign, connection, "a")
    [first] = claim_due()
    claim_due(after=SECOND * 200)
    before = list(Delivery.objects.values())

    assert complete([build_result(first)]) == set()

    assert list(Delivery.objects.values()) == before
    assert list(DeliveryAttempt.objects.values_list("number", "outcome")) == [(1, "unknown")]


def test_a_late_worker_completes_its_claim_if_nobody_has_claimed_again(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = create_pending(campaign, connection, "a")
    [claimed] = claim_due()

    assert complete([build_result(claimed, finished_at=NOW + SECOND * 999)]) == {delivery.pk}


def test_a_claim_is_completed_once(campaign: Campaign, connection: Connection) -> None:
    [delivery] = create_pending(campaign, connection, "a")
    [claimed] = claim_due()

    assert complete([build_result(claimed)]) == {delivery.pk}
    assert complete([build_result(claimed)]) == set()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == (
        "delivered",
        "delivered",
        1,
    )
    assert (delivery.due_at, delivery.claimed_at, delivery.finished_at) == (None, None, NOW)
    assert DeliveryAttempt.objects.count() == 1


def test_a_delivery_that_was_claimed_again_is_left_out_of_many_completions(
    campaign: Campaign, connection: Connection, settings: Any
) -> None:
    settings.DELIVERY_THREADS = 600
    names = [f"a{number}" for number in range(600)]
    deliveries = create_pending(campaign, connection, *names, due=NOW - SECOND * 600)
    claims = claim_due(600)
    Delivery.objects.filter(pk=deliveries[300].pk).update(attempt_number=2)

    recorded = complete([build_result(claimed) for claimed in claims])

    assert recorded == set(pks(deliveries)) - {deliveries[300].pk}
    assert Delivery.objects.filter(status="delivered").count() == 599
    assert DeliveryAttempt.objects.count() == 599


def test_a_delivery_that_is_retried_is_due_at_its_time(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = create_pending(campaign, connection, "a")
    [claimed] = claim_due()
    again_at = NOW + SECOND * 65
    retried = build_result(
        claimed,
        status=DeliveryStatus.PENDING, outcome="unavailable", due_at=again_at, finished_at=None,
        attempt=attempt_columns(outcome="unavailable", response_status=503),
    )  # fmt: skip

    assert complete([retried]) == {delivery.pk}

    assert claim_due(after=SECOND * 64) == []
    [second] = claim_due(after=SECOND * 65)
    assert (second.number, second.attempts_used, second.trigger) == (2, 1, Trigger.RETRY)
    assert second.previous_claimed_at is None
    assert list(DeliveryAttempt.objects.values_list("number", "outcome")) == [(1, "unavailable")]


def test_a_completion_without_an_attempt_records_none(
    campaign: Campaign, connection: Connection
) -> None:
    [delivery] = create_pending(campaign, connection, "a")
    [claimed] = claim_due()

    assert complete([build_result(claimed, attempt=None, status=DeliveryStatus.CANCELLED)]) == {
        delivery.pk
    }

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_number) == ("cancelled", 1)
    assert not DeliveryAttempt.objects.exists()


def test_completing_nothing_takes_no_query(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert complete([]) == set()


def test_a_recorded_attempt_is_read_back_byte_for_byte(
    campaign: Campaign, connection: Connection
) -> None:
    create_pending(campaign, connection, "a")
    [claimed] = claim_due()
    columns = attempt_columns(
        request_body=b"\x00\xff\xfe{}\\n'\"", response_body=b"\x80\x00\xc3(", reason="Grüße 👋 \\N",
        response_headers=dump_headers((("X", "a, b"), ("X", "{c}"))),
    )  # fmt: skip

    complete([build_result(claimed, attempt=columns)])

    attempt = DeliveryAttempt.objects.get()
    assert attempt.request_body is not None
    assert attempt.response_body is not None
    # PostgreSQL's driver hands bytes out as a memoryview, which equals them.
    assert {name: getattr(attempt, name) for name in columns} == columns
    assert (attempt.delivery_id, attempt.number) == (claimed.delivery_id, 1)
