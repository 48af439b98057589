"""Tests of the pump's slices: their end, shutdown, and claims of dead workers."""

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
from tests.referrals.factories import LEASE, create_referrals, deliver, logged_attempts
from tests.timing import WAIT_SECONDS, wait_until
from tests.users import SOMEBODY


class GatedClient(Client):
    """A client that sends the referral of one email address only once it is opened."""

    def __init__(self, email: str) -> None:
        super().__init__(destination_policy())
        self._email = email.encode()
        self.opened = threading.Event()

    def send(self, request: Request, limits: SendLimits = SendLimits()) -> Exchange:  # noqa: B008
        if self._email in request.body:
            assert self.opened.wait(WAIT_SECONDS)
        return super().send(request, limits)


@pytest.fixture
def gated_client(transactional_db: None) -> Iterator[GatedClient]:
    client = GatedClient("late@example.com")
    with client:
        yield client
        client.opened.set()
        finish_in_flight()


def test_a_slow_crm_does_not_prolong_the_slice(
    gated_client: GatedClient, crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "late@example.com", "jo@example.com")

    summary = deliver_due(client=gated_client)

    wait_until(lambda: summary.outcomes == {"delivered": 1})
    assert logged_attempts() == [(1, "delivered", 200)]
    late = Delivery.objects.get(referral__external_id="late@example.com")
    assert (late.status, late.attempt_number) == ("pending", 1)
    assert late.claimed_at is not None
    create_referrals(campaign, "al@example.com")
    deliver_due(client=gated_client)
    wait_until(lambda: logged_attempts("al@example.com") == [(1, "delivered", 200)])
    assert [one.email for one in crm.received()] == ["jo@example.com", "al@example.com"]

    gated_client.opened.set()
    finish_in_flight()

    assert summary.outcomes == {"delivered": 2}
    late = Delivery.objects.get(pk=late.pk)
    assert (late.status, late.claimed_at) == ("delivered", None)
    assert logged_attempts("late@example.com") == [(1, "delivered", 200)]
    assert crm.people() == 3


def test_finishing_returns_at_once_if_nothing_is_in_flight(unlimited_slice: None, crm: CRM) -> None:
    assert deliver() == {}
    finish_in_flight()
    assert crm.received() == []


def test_a_process_that_shuts_down_claims_nothing(
    unlimited_slice: None, crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com")
    shutdown.request()

    summary = deliver_due()

    assert (summary.total, summary.has_more) == (0, True)
    assert crm.received() == []
    assert Delivery.objects.get().attempt_number == 0


def test_a_shutdown_during_a_slice_stops_claiming_and_records_what_is_in_flight(
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


def test_a_slice_without_time_reports_that_more_is_due(
    unlimited_slice: None, crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com")

    assert deliver_due(seconds=0).has_more
    assert crm.received() == []
    assert not deliver_due().has_more
    assert len(crm.received()) == 1


def test_a_slice_delivers_more_than_it_has_threads(
    unlimited_slice: None, crm: CRM, campaign: Campaign, link: Link, settings: Any
) -> None:
    settings.DELIVERY_THREADS = 3
    create_referrals(campaign, *(f"jo{number}@example.com" for number in range(50)))
    seen: Counter[str] = Counter()

    assert deliver(on_progress=seen.update) == {"delivered": 50}

    assert seen == {"delivered": 50}
    assert (crm.people(), len(crm.received())) == (50, 50)
    assert DeliveryAttempt.objects.count() == 50


def claim_as_a_dead_worker(hours: int = 1) -> None:
    """Claim everything some hours ago and never complete it, as a worker that died."""
    long_ago = timezone.now() - timedelta(hours=hours)
    Delivery.objects.update(due_at=long_ago, created_at=long_ago)
    claim(limit=10, now=long_ago, lease=LEASE)


def test_a_delivery_lost_by_a_dead_worker_is_sent_again_under_the_same_key(
    unlimited_slice: None, crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com")
    claim_as_a_dead_worker()

    assert deliver() == {"delivered": 1}

    assert logged_attempts() == [(1, "unknown", None), (2, "delivered", 200)]
    delivery = Delivery.objects.get()
    assert crm.received()[0].headers["Idempotency-Key"] == delivery.idempotency_key
    assert (delivery.status, delivery.attempts_used, delivery.attempt_number) == ("delivered", 2, 2)


def test_a_delivery_lost_by_a_dead_worker_is_final_with_the_hold_policy(
    unlimited_slice: None,
    crm: CRM,
    account: Account,
    campaign: Campaign,
    connection_spec: ConnectionSpec,
) -> None:
    careful = replace(connection_spec, on_unknown=OnUnknown.HOLD)
    link_campaign(campaign, connection=store_connection(careful, account=account), by=SOMEBODY)
    create_referrals(campaign, "jo@example.com")
    claim_as_a_dead_worker()

    assert deliver() == {}

    assert logged_attempts() == [(1, "unknown", None)]
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == ("unknown", "unknown", 1)
    assert (delivery.due_at, delivery.claimed_at) == (None, None)
    assert crm.received() == []


@pytest.mark.parametrize("limits", [Limits(schedule=(0.0,)), Limits(max_age=60.0)])
def test_a_lost_last_attempt_finishes_the_delivery(
    unlimited_slice: None, crm: CRM, account: Account, campaign: Campaign,
    connection_spec: ConnectionSpec, limits: Limits,
) -> None:  # fmt: skip
    connection = store_connection(replace(connection_spec, limits=limits), account=account)
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    create_referrals(campaign, "jo@example.com")
    claim_as_a_dead_worker()

    assert deliver() == {}

    assert logged_attempts() == [(1, "unknown", None)]
    assert Delivery.objects.get().status == "unknown"
    assert crm.received() == []
    assert Connection.objects.get().state == "active"
