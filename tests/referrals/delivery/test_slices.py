"""A slice of the pump: when it ends, what it leaves behind, and what becomes of lost claims."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config import shutdown
from connections.core.messages import Exchange, Request
from connections.core.spec import ConnectionSpec, Limits, OnUnknown
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.simulator import CRM
from connections.transport import Client, SendLimits
from connections.transport.shared import destination_policy
from referrals.delivery.pump import deliver_due, finish_in_flight
from referrals.leases import claim
from referrals.models import Delivery, DeliveryAttempt
from tests.referrals.factories import LEASE, create_referrals, deliver, log, until


class Gate(Client):
    """A client whose requests for one person wait at a gate: a CRM that thinks for long."""

    def __init__(self, email: str) -> None:
        super().__init__(destination_policy())
        self._email = email.encode()
        self.opened = threading.Event()

    def send(self, request: Request, limits: SendLimits = SendLimits()) -> Exchange:  # noqa: B008
        if self._email in request.body:
            assert self.opened.wait(20)
        return super().send(request, limits)


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    client = Gate("late@example.com")
    with client:
        yield client
        client.opened.set()
        finish_in_flight()


def test_a_slow_crm_does_not_keep_the_slice(
    gate: Gate, crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "late@example.com", "jo@example.com")

    summary = deliver_due(client=gate)

    until(lambda: summary.outcomes == {"delivered": 1})
    assert log() == [(1, "delivered", 200)]
    late = Delivery.objects.get(referral__external_id="late@example.com")
    assert (late.status, late.attempt_number) == ("pending", 1)
    assert late.claimed_at is not None
    create_referrals(campaign, "al@example.com")
    deliver_due(client=gate)
    until(lambda: log("al@example.com") == [(1, "delivered", 200)])
    assert [one.email for one in crm.received()] == ["jo@example.com", "al@example.com"]

    gate.opened.set()
    finish_in_flight()

    assert summary.outcomes == {"delivered": 2}
    late = Delivery.objects.get(pk=late.pk)
    assert (late.status, late.claimed_at) == ("delivered", None)
    assert log("late@example.com") == [(1, "delivered", 200)]
    assert crm.people() == 3


def test_nothing_under_way_is_nothing_to_wait_for(patient: None, crm: CRM) -> None:
    assert deliver() == {}
    finish_in_flight()
    assert crm.received() == []


def test_a_process_that_must_stop_begins_nothing(
    patient: None, crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com")
    shutdown.request()

    summary = deliver_due()

    assert (summary.total, summary.has_more) == (0, True)
    assert crm.received() == []
    assert Delivery.objects.get().attempt_number == 0


def test_a_process_that_must_stop_claims_no_more_and_records_what_it_has(
    transactional_db: None, crm: CRM, campaign: Campaign, link: Link, settings: Any
) -> None:
    settings.DELIVERY_THREADS = 2
    create_referrals(campaign, *(f"jo{number}@example.com" for number in range(20)))

    summary = deliver_due(on_progress=lambda _: shutdown.request())
    finish_in_flight()

    assert (summary.outcomes, summary.has_more) == ({"delivered": 2}, True)
    assert len(crm.received()) == 2
    assert Delivery.objects.filter(status="delivered").count() == 2
    assert Delivery.objects.filter(claimed_at=None).count() == 20


def test_a_slice_without_time_says_that_more_is_left(
    patient: None, crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com")

    assert deliver_due(seconds=0).has_more
    assert crm.received() == []
    assert not deliver_due().has_more
    assert len(crm.received()) == 1


def test_a_slice_takes_more_than_it_has_threads(
    patient: None, crm: CRM, campaign: Campaign, link: Link, settings: Any
) -> None:
    settings.DELIVERY_THREADS = 3
    create_referrals(campaign, *(f"jo{number}@example.com" for number in range(50)))
    seen: Counter[str] = Counter()

    assert deliver(on_progress=seen.update) == {"delivered": 50}

    assert seen == {"delivered": 50}
    assert (crm.people(), len(crm.received())) == (50, 50)
    assert DeliveryAttempt.objects.count() == 50


def lose(number: int = 1) -> None:
    """A worker claims everything and is never heard of again; its lease is over."""
    long_ago = timezone.now() - timedelta(hours=number)
    Delivery.objects.update(due_at=long_ago, created_at=long_ago)
    claim(limit=10, now=long_ago, lease=LEASE)


def test_what_a_dead_worker_had_is_sent_under_the_same_key(
    patient: None, crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com")
    lose()

    assert deliver() == {"delivered": 1}

    assert log() == [(1, "unknown", None), (2, "delivered", 200)]
    delivery = Delivery.objects.get()
    assert crm.received()[0].headers["Idempotency-Key"] == delivery.idempotency_key
    assert (delivery.status, delivery.attempts_used, delivery.attempt_number) == ("delivered", 2, 2)


def test_what_a_dead_worker_had_may_be_held_for_a_person(
    patient: None, crm: CRM, account: Account, campaign: Campaign, described: ConnectionSpec
) -> None:
    careful = replace(described, on_unknown=OnUnknown.HOLD)
    link_campaign(campaign, connection=store_connection(careful, account=account), by=None)
    create_referrals(campaign, "jo@example.com")
    lose()

    assert deliver() == {}

    assert log() == [(1, "unknown", None)]
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == ("unknown", "unknown", 1)
    assert (delivery.due_at, delivery.claimed_at) == (None, None)
    assert crm.received() == []


@pytest.mark.parametrize("limits", [Limits(schedule=(0.0,)), Limits(max_age=60.0)])
def test_a_lost_attempt_that_was_the_last_settles_the_delivery(
    patient: None, crm: CRM, account: Account, campaign: Campaign, described: ConnectionSpec,
    limits: Limits,
) -> None:  # fmt: skip
    connection = store_connection(replace(described, limits=limits), account=account)
    link_campaign(campaign, connection=connection, by=None)
    create_referrals(campaign, "jo@example.com")
    lose()

    assert deliver() == {}

    assert log() == [(1, "unknown", None)]
    assert Delivery.objects.get().status == "unknown"
    assert crm.received() == []
    assert Connection.objects.get().state == "active"
