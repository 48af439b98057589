"""Tests of the intake API: accepted referrals, and what it shows of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from connections.core.spec import ConnectionSpec
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Link
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals.api import api
from referrals.models import Delivery, Referral
from tests.referrals.factories import IntakeClient, deliver
from tests.users import SOMEBODY

SNAPSHOT = Path(__file__).parent / "openapi.json"
RENEW = f"manage.py export_openapi_schema --api referrals.api.api --indent 2 --output {SNAPSHOT}"

JO = {"external_id": "order-1", "attributes": {"email": "jo@example.com", "first_name": "Jo"}}


def test_a_single_referral_is_accepted(intake_client: IntakeClient, link: Link) -> None:
    status, response = intake_client.post(JO)

    referral = Referral.objects.get()
    assert (status, response) == (
        202,
        {"referrals": [{"id": str(referral.pk), "external_id": "order-1", "is_new": True}]},
    )
    assert Delivery.objects.count() == 1
    assert intake_client.post(JO)[1]["referrals"] == [
        {"id": str(referral.pk), "external_id": "order-1", "is_new": False}
    ]
    assert Delivery.objects.count() == 1


def test_a_list_of_referrals_is_answered_in_its_order(intake_client: IntakeClient) -> None:
    ids = ["b", "a", "c", "a"]

    status, response = intake_client.post([{"external_id": id_, "attributes": {}} for id_ in ids])

    assert status == 202
    assert [one["external_id"] for one in response["referrals"]] == ids
    assert [one["is_new"] for one in response["referrals"]] == [True, True, True, False]


def test_a_list_of_a_thousand_referrals_is_accepted(intake_client: IntakeClient) -> None:
    status, response = intake_client.post(
        [{"external_id": str(number), "attributes": {}} for number in range(1000)]
    )

    assert (status, len(response["referrals"]), Referral.objects.count()) == (202, 1000, 1000)


def test_the_time_of_occurrence_is_stored(intake_client: IntakeClient) -> None:
    assert intake_client.post({**JO, "occurred_at": "2026-01-31T12:30:00+02:00"})[0] == 202

    assert str(Referral.objects.get().occurred_at) == "2026-01-31 10:30:00+00:00"


@pytest.mark.usefixtures("unlimited_slice")
def test_numbers_reach_the_crm_with_the_digits_that_were_sent(
    intake_client: IntakeClient,
    account: Account,
    campaign: Campaign,
    connection_spec: ConnectionSpec,
    crm: CRM,
) -> None:
    document = (
        '{"price": "{{ bid_price }}", "amount": "{{ amount }}", "audience": "{{ audience_id }}",'
        ' "age": "{{ age }}", "text": "{{ bid_price }} {{ currency }}"}'
    )
    exact = store_connection(
        replace(connection_spec, document=document, required=()), account=account
    )
    link_campaign(campaign, connection=exact, by=SOMEBODY)
    intake_client.post(
        '{"external_id": "a", "attributes": {"bid_price": 2.50, "amount": 300, "currency": "USD",'
        ' "audience_id": 2581697744617019994, "age": 25}}'
    )

    deliver()

    assert crm.received()[0].body == (
        '{"price": 2.50, "amount": 300, "audience": 2581697744617019994, "age": 25, '
        '"text": "2.50 USD"}'
    )


@pytest.mark.usefixtures("unlimited_slice")
def test_a_referral_shows_its_deliveries(intake_client: IntakeClient, link: Link, crm: CRM) -> None:
    _, response = intake_client.post(
        [JO, {**JO, "external_id": "b", "attributes": {"email": "exists@a.com"}}]
    )
    first, second = (accepted["id"] for accepted in response["referrals"])

    def get_delivery(referral: str) -> Any:
        status, body = intake_client.get(referral)
        assert status == 200
        [delivery] = body.pop("deliveries")
        assert list(body) == ["id", "campaign", "external_id", "accepted_at"]
        assert (body["id"], body["campaign"]) == (referral, "cmp_news")
        return delivery

    waiting = {
        "connection": "Mailing list", "status": "pending", "outcome": "", "attempts": 0,
        "status_code": None, "error_code": "", "reason": "", "reference": "",
    }  # fmt: skip
    due = get_delivery(first)
    assert due.pop("next_attempt_at") is not None
    assert due == waiting
    deliver()
    assert get_delivery(first) == waiting | {
        "status": "delivered", "outcome": "delivered", "attempts": 1, "next_attempt_at": None,
        "status_code": 200, "reference": "eb9e0867a6ecd7e9c79c332596e631bc",
    }  # fmt: skip
    known = get_delivery(second)
    assert (known["status"], known["status_code"]) == ("duplicate", 400)
    assert known["reason"].startswith("exists@a.com is already a list member.")


def test_a_referral_without_deliveries_shows_none(intake_client: IntakeClient) -> None:
    _, response = intake_client.post(JO)

    status, body = intake_client.get(response["referrals"][0]["id"])

    assert (status, body["external_id"], body["deliveries"]) == (200, "order-1", [])


def test_reading_a_referral_takes_at_most_six_queries(
    intake_client: IntakeClient, link: Link, django_assert_max_num_queries: Any
) -> None:
    _, response = intake_client.post(JO)

    with django_assert_max_num_queries(6):
        intake_client.get(response["referrals"][0]["id"])


def test_the_openapi_schema_equals_the_stored_one() -> None:
    schema = json.loads(json.dumps(api.get_openapi_schema()))

    assert schema == json.loads(SNAPSHOT.read_text()), f"Meant? Renew it: {RENEW}"


@pytest.mark.usefixtures("unmanifested_static")
def test_the_page_about_the_api_loads_only_local_files(client: Client) -> None:
    response = client.get("/api/v1/docs")

    page = response.content.decode()
    assert response.status_code == 200
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert all(name.startswith("/static/") for name in files)
    assert [name for name in files if not finders.find(name.removeprefix("/static/"))] == []
    assert any(name.endswith(".js") for name in files)
    assert '"/api/v1/openapi.json"' in page
    assert not re.search(r"<script(?![^>]*(src=|application/json))", page)


def test_the_openapi_schema_needs_no_key(client: Client) -> None:
    response = client.get("/api/v1/openapi.json")

    assert (response.status_code, response.json()["info"]["title"]) == (200, "Referral intake")
