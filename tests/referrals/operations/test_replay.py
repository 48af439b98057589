"""Tests of replaying deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.queue.job_queue import waiting_count
from connections.models import Campaign, Connection, Link
from connections.simulator import CRM
from referrals.models import Delivery, DeliveryAttempt
from referrals.operations import chunks
from referrals.operations.cancel import cancel
from referrals.operations.replay import replay
from referrals.statuses import Trigger
from tests.referrals.factories import (
    claim_only,
    create_referrals,
    deliver,
    deliver_all,
    delivery_statuses,
    get_delivery,
    logged_attempts,
)
from tests.users import SOMEBODY

SECOND = timedelta(seconds=1)


def test_a_replay_is_another_attempt_of_the_same_delivery(
    link: Link, campaign: Campaign, crm: CRM
) -> None:
    create_referrals(campaign, "jo@example.com")
    deliver()
    key = get_delivery("jo@example.com").idempotency_key

    assert replay(Delivery.objects.all(), by=SOMEBODY) == 1
    replayed = get_delivery("jo@example.com")
    assert (replayed.status, replayed.next_trigger, replayed.attempts_used) == (
        "pending",
        "replay",
        0,
    )
    assert replayed.finished_at is None

    assert deliver() == {"duplicate": 1}
    assert logged_attempts() == [(1, "delivered", 200), (2, "duplicate", 400)]
    triggers = DeliveryAttempt.objects.order_by("number").values_list("trigger", flat=True)
    assert list(triggers) == ["first", "replay"]
    assert {one.headers["Idempotency-Key"] for one in crm.received()} == {key}


def test_a_replay_wakes_workers(link: Link, campaign: Campaign, redis: Any) -> None:
    create_referrals(campaign, "jo@example.com")
    redis.flushdb()
    replay(Delivery.objects.all(), by=SOMEBODY)
    assert waiting_count() == 1


def test_a_replay_replaces_the_scheduled_retry(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "error@example.com")
    deliver()
    waiting = get_delivery("error@example.com")
    assert waiting.due_at is not None
    assert (waiting.attempts_used, waiting.due_at > timezone.now() + 3 * SECOND) == (1, True)

    replay(Delivery.objects.all(), by=SOMEBODY)
    replayed = get_delivery("error@example.com")
    assert replayed.due_at is not None
    assert (replayed.attempts_used, replayed.due_at <= timezone.now()) == (0, True)
    deliver()
    assert logged_attempts() == [(1, "unavailable", 500), (2, "unavailable", 500)]
    assert get_delivery("error@example.com").attempts_used == 1


def test_a_replay_leaves_deliveries_in_flight_alone(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")
    claim_only("a@example.com")
    assert replay(Delivery.objects.all(), by=SOMEBODY) == 1
    assert get_delivery("a@example.com").next_trigger == Trigger.FIRST
    assert get_delivery("b@example.com").next_trigger == Trigger.REPLAY


def test_a_replay_restarts_the_schedule(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "error@example.com")
    deliver()
    Delivery.objects.update(
        status="unavailable", due_at=None, attempts_used=12, finished_at=timezone.now()
    )
    replay(Delivery.objects.all(), by=SOMEBODY)
    deliver()
    replayed = get_delivery("error@example.com")
    assert (replayed.status, replayed.attempts_used) == ("pending", 1)


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        (2.0, [0, 0, 1, 1, 2]),
        (1.0, [0, 1, 2, 3, 4]),
        (0.5, [0, 2, 4, 6, 8]),
        (2.5, [0, 0, 0.8, 0.8, 1.6]),
        (100.0, [0, 0, 0, 0, 0]),
        (None, [0, 0, 0, 0, 0]),
    ],
)
def test_a_rate_spreads_the_attempts(
    link: Link, campaign: Campaign, rate: float | None, seconds: list[float]
) -> None:
    create_referrals(campaign, *[f"jo{number}@example.com" for number in range(5)])
    before = timezone.now()
    assert replay(Delivery.objects.all(), rate=rate, by=SOMEBODY) == 5
    after = timezone.now()
    dues = Delivery.objects.order_by("pk").values_list("due_at", flat=True)
    for due, offset in zip(dues, seconds, strict=True):
        assert due is not None
        assert before <= due - offset * SECOND <= after


def test_many_deliveries_are_replayed_in_chunks(
    link: Link, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 2)
    create_referrals(campaign, *[f"jo{number}@example.com" for number in range(5)])
    Delivery.objects.update(status="rejected", due_at=None)
    assert replay(Delivery.objects.filter(status="rejected"), by=SOMEBODY) == 5
    assert set(delivery_statuses().values()) == {"pending"}


def test_a_cancelled_delivery_can_be_replayed(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "a@example.com")
    cancel(Delivery.objects.all(), by=SOMEBODY)
    assert replay(Delivery.objects.all(), by=SOMEBODY) == 1
    assert deliver() == {"delivered": 1}


def test_replays_after_an_outage_deliver_everything(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, *[f"flaky.{number}@example.com" for number in range(4)])
    Connection.objects.update(limits={"schedule": [0]})
    deliver_all()
    assert set(delivery_statuses().values()) == {"unavailable"}

    assert replay(Delivery.objects.filter(status="unavailable"), by=SOMEBODY) == 4
    deliver_all()
    assert replay(Delivery.objects.filter(status="unavailable"), by=SOMEBODY) == 4
    deliver_all()
    assert set(delivery_statuses().values()) == {"delivered"}
