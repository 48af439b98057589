"""The pump against a real CRM: each answer becomes its outcome, and all of it is kept."""

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
from tests.referrals.factories import create_referrals, deliver, deliver_all, item, log

pytestmark = pytest.mark.usefixtures("patient")

AT_ONCE = Limits(schedule=(0.0, 0.05, 0.05))


def only() -> tuple[Delivery, DeliveryAttempt]:
    return Delivery.objects.get(), DeliveryAttempt.objects.get()


@pytest.mark.parametrize(
    ("email", "outcome", "answer"),
    [
        ("jo@example.com", "delivered", 200),
        ("exists@example.com", "duplicate", 400),
        ("jo", "rejected", 400),
        ("odd@example.com", "unrecognised", 200),
    ],
)
def test_an_answer_settles_the_delivery(
    crm: CRM, campaign: Campaign, link: Link, email: str, outcome: str, answer: int
) -> None:
    create_referrals(campaign, email)

    assert deliver() == {outcome: 1}

    delivery, attempt = only()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == (outcome, outcome, 1)
    assert (delivery.due_at, delivery.claimed_at) == (None, None)
    assert (attempt.number, attempt.trigger, attempt.outcome) == (1, "first", outcome)
    assert (attempt.response_status, attempt.error_code) == (answer, "")
    assert delivery.finished_at is not None
    assert attempt.started_at <= delivery.finished_at
    assert len(crm.received()) == 1
    assert deliver() == {}
    assert len(crm.received()) == 1


@pytest.mark.parametrize(
    ("email", "outcome", "answer", "error", "attempts_used", "wait"),
    [
        ("error@example.com", "unavailable", 500, "", 1, 5),
        ("throttled@example.com", "throttled", 429, "", 0, 1),
        ("unauthorized@example.com", "unauthorized", 401, "", 0, 300),
        ("reset@example.com", "unknown", None, "connection_lost", 1, 5),
        ("hang@example.com", "unknown", None, "read_timeout", 1, 5),
    ],
)
def test_what_may_go_well_later_waits_for_its_time(
    crm: CRM, campaign: Campaign, link: Link, settings: Any,
    email: str, outcome: str, answer: int | None, error: str, attempts_used: int, wait: float,
) -> None:  # fmt: skip
    if error == "read_timeout":
        settings.DELIVERY_READ_TIMEOUT = 0.1
    create_referrals(campaign, email)

    assert deliver() == {outcome: 1}

    delivery, attempt = only()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == (
        "pending",
        outcome,
        attempts_used,
    )
    found = (attempt.outcome, attempt.response_status, attempt.error_code)
    assert found == (outcome, answer, error)
    assert (delivery.claimed_at, delivery.finished_at) == (None, None)
    assert delivery.due_at is not None
    waits = (delivery.due_at - attempt.started_at).total_seconds()
    assert wait <= waits < wait * 1.2 + 20
    assert deliver() == {}
    assert len(crm.received()) == 1


def test_what_an_answer_says_is_kept(crm: CRM, campaign: Campaign, link: Link) -> None:
    create_referrals(campaign, "jo@example.com", "exists@example.com")
    deliver()

    new, known = DeliveryAttempt.objects.order_by("delivery__referral__external_id").reverse()
    assert new.reference == hashlib.md5(b"jo@example.com").hexdigest()
    assert (new.reason, new.rule) == ("", "status 200 and json id exists → delivered")
    assert known.reason == (
        "exists@example.com is already a list member. Use PUT to insert or update list members."
    )
    assert known.rule == "status 400 and json title equals Member Exists → duplicate"


def test_nobody_listening_is_unavailable(
    account: Account, campaign: Campaign, described: ConnectionSpec
) -> None:
    with CRM() as gone:
        endpoints = {"production": f"{gone.url}/3.0/lists/leads/members"}
    connection = store_connection(replace(described, endpoints=endpoints), account=account)
    link_campaign(campaign, connection=connection, by=None)
    create_referrals(campaign, "jo@example.com")

    assert deliver() == {"unavailable": 1}

    delivery, attempt = only()
    assert (delivery.status, delivery.attempts_used) == ("pending", 1)
    assert (attempt.response_status, attempt.error_code) == (None, "connect_refused")


def test_an_address_that_may_not_be_reached_is_never_tried(
    account: Account, campaign: Campaign, described: ConnectionSpec
) -> None:
    inside = replace(described, endpoints={"production": "http://169.254.169.254/latest"})
    link_campaign(campaign, connection=store_connection(inside, account=account), by=None)
    create_referrals(campaign, "jo@example.com")

    assert deliver() == {"invalid": 1}

    delivery, attempt = only()
    assert delivery.status == "invalid"
    assert (attempt.response_status, attempt.error_code) == (None, "blocked_address")


def test_a_referral_without_a_required_attribute_is_never_sent(
    crm: CRM, campaign: Campaign, link: Link
) -> None:
    accept_referrals(campaign, [item("order-1", first_name="Jo")])

    assert deliver() == {"invalid": 1}

    delivery, attempt = only()
    assert (delivery.status, delivery.attempts_used) == ("invalid", 1)
    assert attempt.reason == attempt.error_message == ('The required attribute "email" is missing.')
    assert (attempt.error_code, attempt.request_url) == ("not_built", "")
    assert crm.received() == []


def test_a_crm_that_fails_twice_has_the_person_by_the_third_attempt(
    account: Account, campaign: Campaign, described: ConnectionSpec, crm: CRM
) -> None:
    connection = store_connection(replace(described, limits=AT_ONCE), account=account)
    link_campaign(campaign, connection=connection, by=None)
    create_referrals(campaign, "flaky@example.com")

    deliver_all()

    assert log() == [(1, "unavailable", 500), (2, "unavailable", 500), (3, "delivered", 200)]
    attempts = DeliveryAttempt.objects.order_by("number")
    assert [attempt.trigger for attempt in attempts] == ["first", "retry", "retry"]
    first, second, third = (attempt.started_at for attempt in attempts)
    assert second - first >= timedelta(seconds=0.05)
    assert third - second >= timedelta(seconds=0.05)
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts_used, delivery.attempt_number) == ("delivered", 3, 3)
    assert crm.people() == 1


def test_a_schedule_that_is_used_up_ends_the_delivery(
    account: Account, campaign: Campaign, described: ConnectionSpec, crm: CRM
) -> None:
    connection = store_connection(replace(described, limits=AT_ONCE), account=account)
    link_campaign(campaign, connection=connection, by=None)
    create_referrals(campaign, "error@example.com")

    deliver_all()

    assert log() == [(1, "unavailable", 500), (2, "unavailable", 500), (3, "unavailable", 500)]
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.outcome, delivery.attempts_used) == (
        "unavailable",
        "unavailable",
        3,
    )
    assert len(crm.received()) == 3


def test_a_crm_that_asked_to_come_later_has_the_person_after_that(
    crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "throttled@example.com")
    deliver()
    Delivery.objects.update(due_at=Delivery.objects.get().created_at)

    assert deliver() == {"delivered": 1}

    assert log() == [(1, "throttled", 429), (2, "delivered", 200)]
    assert Delivery.objects.get().attempts_used == 1


def test_all_attempts_of_a_delivery_carry_one_key_and_no_other_does(
    account: Account, campaign: Campaign, described: ConnectionSpec, crm: CRM
) -> None:
    connection = store_connection(replace(described, limits=AT_ONCE), account=account)
    link_campaign(campaign, connection=connection, by=None)
    create_referrals(campaign, "flaky@example.com", "jo@example.com")

    deliver_all()

    keys = [one.headers["Idempotency-Key"] for one in crm.received("flaky@example.com")]
    [other] = [one.headers["Idempotency-Key"] for one in crm.received("jo@example.com")]
    delivery = Delivery.objects.get(referral__external_id="flaky@example.com")
    assert keys == [delivery.idempotency_key] * 3
    assert delivery.idempotency_key == f"{delivery.referral_id}-{connection.pk}"
    assert other not in keys


def test_a_connection_that_is_described_wrongly_does_not_stop_the_others(
    account: Account, campaign: Campaign, link: Link, described: ConnectionSpec, crm: CRM
) -> None:
    broken = store_connection(replace(described, name="Broken"), account=account)
    link_campaign(campaign, connection=broken, by=None)
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


def test_a_referral_goes_to_every_linked_connection(
    account: Account, campaign: Campaign, link: Link, described: ConnectionSpec, crm: CRM
) -> None:
    elsewhere = {"production": f"{crm.url}/3.0/lists/others/members"}
    second = replace(described, name="Second", endpoints=elsewhere)
    link_campaign(campaign, connection=store_connection(second, account=account), by=None)
    Connection.objects.create(account=account, name="Not linked")
    create_referrals(campaign, "jo@example.com")

    assert deliver() == {"delivered": 2}

    assert sorted(one.path for one in crm.received()) == [
        "/3.0/lists/others/members",
        "/3.0/lists/production/members",
    ]
