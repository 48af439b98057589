"""Tests of the pump with a simulated CRM: outcomes, retries and recorded attempts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connections.core.spec import ConnectionSpec, Limits
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, Link, ResponseRule
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals.intake import accept_referrals
from referrals.models import Delivery, DeliveryAttempt
from tests.referrals.factories import create_referrals, deliver, deliver_all, item, logged_attempts
from tests.users import SOMEBODY

pytestmark = pytest.mark.usefixtures("unlimited_slice")

QUICK_RETRIES = Limits(schedule=(0.0, 0.05, 0.05))


def get_delivery_and_attempt() -> tuple[Delivery, DeliveryAttempt]:
    return Delivery.objects.get(), DeliveryAttempt.objects.get()


@pytest.mark.parametrize(
    ("email", "outcome", "status"),
    [
        ("jo@example.com", "delivered", 200),
        ("exists@example.com", "duplicate", 400),
        ("jo", "rejected", 400),
        ("odd@example.com", "unrecognised", 200),
    ],
)
def test_a_conclusive_response_finishes_the_delivery(
    crm: CRM, campaign: Campaign, link: Link, email: str, outcome: str, status: int
) -> None:
    create_referrals(campaign, email)

    assert deliver() == {outcome: 1}

    delivery, attempt = get_delivery_and_attempt()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == (outcome, outcome, 1)
    assert (delivery.due_at, delivery.claimed_at) == (None, None)
    assert (attempt.number, attempt.trigger, attempt.outcome) == (1, "first", outcome)
    assert (attempt.response_status, attempt.error_code) == (status, "")
    assert delivery.finished_at is not None
    assert attempt.started_at <= delivery.finished_at
    assert len(crm.received()) == 1
    assert deliver() == {}
    assert len(crm.received()) == 1


@pytest.mark.parametrize(
    ("email", "outcome", "status", "error", "attempts_used", "wait"),
    [
        ("error@example.com", "unavailable", 500, "", 1, 5),
        ("throttled@example.com", "throttled", 429, "", 0, 1),
        ("unauthorized@example.com", "unauthorized", 401, "", 0, 300),
        ("reset@example.com", "unknown", None, "connection_lost", 1, 5),
        ("hang@example.com", "unknown", None, "read_timeout", 1, 5),
    ],
)
def test_a_temporary_failure_is_retried_after_its_wait(
    crm: CRM, campaign: Campaign, link: Link, settings: Any,
    email: str, outcome: str, status: int | None, error: str, attempts_used: int, wait: float,
) -> None:  # fmt: skip
    if error == "read_timeout":
        settings.DELIVERY_READ_TIMEOUT = 0.1
    create_referrals(campaign, email)

    assert deliver() == {outcome: 1}

    delivery, attempt = get_delivery_and_attempt()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == (
        "pending",
        outcome,
        attempts_used,
    )
    found = (attempt.outcome, attempt.response_status, attempt.error_code)
    assert found == (outcome, status, error)
    assert (delivery.claimed_at, delivery.finished_at) == (None, None)
    assert delivery.due_at is not None
    seconds = (delivery.due_at - attempt.started_at).total_seconds()
    assert wait <= seconds < wait * 1.2 + 20
    assert deliver() == {}
    assert len(crm.received()) == 1


def test_reason_reference_and_rule_of_a_response_are_stored(
    crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com", "exists@example.com")
    deliver()

    new, known = DeliveryAttempt.objects.order_by("delivery__referral__external_id").reverse()
    assert new.reference == hashlib.md5(b"jo@example.com").hexdigest()
    assert (new.reason, new.rule) == ("", "status 200 and json id exists → delivered")
    assert known.reason == (
        "exists@example.com is already a list member. Use PUT to insert or update list members."
    )
    assert known.rule == "status 400 and json title equals Member Exists → duplicate"


def test_a_crm_that_refuses_the_connection_is_unavailable(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec
) -> None:
    with CRM() as gone:
        endpoints = {"production": f"{gone.url}/3.0/lists/leads/members"}
    connection = store_connection(replace(connection_spec, endpoints=endpoints), account=account)
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    create_referrals(campaign, "jo@example.com")

    assert deliver() == {"unavailable": 1}

    delivery, attempt = get_delivery_and_attempt()
    assert (delivery.status, delivery.attempts_used) == ("pending", 1)
    assert (attempt.response_status, attempt.error_code) == (None, "connect_refused")


def test_a_blocked_address_is_never_contacted(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec
) -> None:
    blocked = replace(connection_spec, endpoints={"production": "http://169.254.169.254/latest"})
    link_campaign(campaign, connection=store_connection(blocked, account=account), by=SOMEBODY)
    create_referrals(campaign, "jo@example.com")

    assert deliver() == {"invalid": 1}

    delivery, attempt = get_delivery_and_attempt()
    assert delivery.status == "invalid"
    assert (attempt.response_status, attempt.error_code) == (None, "blocked_address")


def test_a_referral_without_a_required_attribute_is_never_sent(
    crm: CRM, campaign: Campaign, link: Link
) -> None:
    accept_referrals(campaign, [item("order-1", first_name="Jo")])

    assert deliver() == {"invalid": 1}

    delivery, attempt = get_delivery_and_attempt()
    assert (delivery.status, delivery.attempts_used) == ("invalid", 1)
    assert attempt.reason == attempt.error_message == ('The required attribute "email" is missing.')
    assert (attempt.error_code, attempt.request_url) == ("not_built", "")
    assert crm.received() == []


def test_a_crm_that_fails_twice_receives_the_referral_at_the_third_attempt(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec, crm: CRM
) -> None:
    connection = store_connection(replace(connection_spec, limits=QUICK_RETRIES), account=account)
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    create_referrals(campaign, "flaky@example.com")

    deliver_all()

    assert logged_attempts() == [
        (1, "unavailable", 500),
        (2, "unavailable", 500),
        (3, "delivered", 200),
    ]
    attempts = DeliveryAttempt.objects.order_by("number")
    assert [attempt.trigger for attempt in attempts] == ["first", "retry", "retry"]
    first, second, third = (attempt.started_at for attempt in attempts)
    assert second - first >= timedelta(seconds=0.05)
    assert third - second >= timedelta(seconds=0.05)
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts_used, delivery.attempt_number) == ("delivered", 3, 3)
    assert crm.people() == 1


def test_an_exhausted_schedule_finishes_the_delivery(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec, crm: CRM
) -> None:
    connection = store_connection(replace(connection_spec, limits=QUICK_RETRIES), account=account)
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    create_referrals(campaign, "error@example.com")

    deliver_all()

    assert logged_attempts() == [
        (1, "unavailable", 500),
        (2, "unavailable", 500),
        (3, "unavailable", 500),
    ]
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == (
        "unavailable",
        "unavailable",
        3,
    )
    assert len(crm.received()) == 3


def test_a_throttled_delivery_is_delivered_at_its_next_attempt(
    crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "throttled@example.com")
    deliver()
    Delivery.objects.update(due_at=Delivery.objects.get().created_at)

    assert deliver() == {"delivered": 1}

    assert logged_attempts() == [(1, "throttled", 429), (2, "delivered", 200)]
    assert Delivery.objects.get().attempts_used == 1


def test_every_attempt_of_a_delivery_carries_its_own_idempotency_key(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec, crm: CRM
) -> None:
    connection = store_connection(replace(connection_spec, limits=QUICK_RETRIES), account=account)
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    create_referrals(campaign, "flaky@example.com", "jo@example.com")

    deliver_all()

    keys = [one.headers["Idempotency-Key"] for one in crm.received("flaky@example.com")]
    [other] = [one.headers["Idempotency-Key"] for one in crm.received("jo@example.com")]
    delivery = Delivery.objects.get(referral__external_id="flaky@example.com")
    assert keys == [delivery.idempotency_key] * 3
    assert delivery.idempotency_key == f"{delivery.referral_id}-{connection.pk}"
    assert other not in keys


def test_a_connection_with_an_invalid_rule_does_not_stop_the_others(
    account: Account, campaign: Campaign, link: Link, connection_spec: ConnectionSpec, crm: CRM
) -> None:
    broken = store_connection(replace(connection_spec, name="Broken"), account=account)
    link_campaign(campaign, connection=broken, by=SOMEBODY)
    ResponseRule.objects.create(connection=broken, status="soon", outcome="delivered")
    create_referrals(campaign, "jo@example.com", "al@example.com")

    assert deliver() == {"delivered": 2, "invalid": 2}

    wrong = DeliveryAttempt.objects.filter(delivery__connection=broken)
    assert {(attempt.error_code, attempt.reason) for attempt in wrong} == {
        (
            "not_built",
            'status: "soon" is no status; write 201, 2xx, 400-499, or several with commas.',
        )
    }
    assert Delivery.objects.filter(connection=broken, status="invalid").count() == 2
    assert (crm.people(), len(crm.received())) == (2, 2)


def test_a_referral_is_sent_to_every_linked_connection(
    account: Account, campaign: Campaign, link: Link, connection_spec: ConnectionSpec, crm: CRM
) -> None:
    elsewhere = {"production": f"{crm.url}/3.0/lists/others/members"}
    second = replace(connection_spec, name="Second", endpoints=elsewhere)
    link_campaign(campaign, connection=store_connection(second, account=account), by=SOMEBODY)
    Connection.objects.create(account=account, name="Not linked")
    create_referrals(campaign, "jo@example.com")

    assert deliver() == {"delivered": 2}

    assert sorted(one.path for one in crm.received()) == [
        "/3.0/lists/others/members",
        "/3.0/lists/production/members",
    ]
