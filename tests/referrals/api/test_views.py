"""The intake API as its callers know it: what is accepted, and where a referral stands."""

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
from tests.referrals.factories import Door, deliver

SNAPSHOT = Path(__file__).parent / "openapi.json"
RENEW = f"manage.py export_openapi_schema --api referrals.api.api --indent 2 --output {SNAPSHOT}"

JO = {"external_id": "order-1", "attributes": {"email": "jo@example.com", "first_name": "Jo"}}


def test_one_referral_is_accepted(door: Door, link: Link) -> None:
    status, answer = door.post(JO)

    referral = Referral.objects.get()
    assert (status, answer) == (
        202,
        {"referrals": [{"id": str(referral.pk), "external_id": "order-1", "is_new": True}]},
    )
    assert Delivery.objects.count() == 1
    assert door.post(JO)[1]["referrals"] == [
        {"id": str(referral.pk), "external_id": "order-1", "is_new": False}
    ]
    assert Delivery.objects.count() == 1


def test_a_list_is_answered_in_its_order(door: Door) -> None:
    ids = ["b", "a", "c", "a"]

    status, answer = door.post([{"external_id": id_, "attributes": {}} for id_ in ids])

    assert status == 202
    assert [one["external_id"] for one in answer["referrals"]] == ids
    assert [one["is_new"] for one in answer["referrals"]] == [True, True, True, False]


def test_a_thousand_are_accepted_in_one_list(door: Door) -> None:
    status, answer = door.post(
        [{"external_id": str(number), "attributes": {}} for number in range(1000)]
    )

    assert (status, len(answer["referrals"]), Referral.objects.count()) == (202, 1000, 1000)


def test_the_time_at_which_it_happened_is_kept(door: Door) -> None:
    assert door.post({**JO, "occurred_at": "2026-01-31T12:30:00+02:00"})[0] == 202

    assert str(Referral.objects.get().occurred_at) == "2026-01-31 10:30:00+00:00"


@pytest.mark.usefixtures("patient")
def test_numbers_reach_the_crm_in_the_digits_in_which_they_were_sent(
    door: Door, account: Account, campaign: Campaign, described: ConnectionSpec, crm: CRM
) -> None:
    document = (
        '{"price": "{{ bid_price }}", "amount": "{{ amount }}", "audience": "{{ audience_id }}",'
        ' "age": "{{ age }}", "text": "{{ bid_price }} {{ currency }}"}'
    )
    exact = store_connection(replace(described, document=document, required=()), account=account)
    link_campaign(campaign, connection=exact, by=None)
    door.post(
        '{"external_id": "a", "attributes": {"bid_price": 2.50, "amount": 300, "currency": "USD",'
        ' "audience_id": 2581697744617019994, "age": 25}}'
    )

    deliver()

    assert crm.received()[0].body == (
        '{"price": 2.50, "amount": 300, "audience": 2581697744617019994, "age": 25, '
        '"text": "2.50 USD"}'
    )


@pytest.mark.usefixtures("patient")
def test_a_referral_tells_of_its_deliveries(door: Door, link: Link, crm: CRM) -> None:
    _, answer = door.post([JO, {**JO, "external_id": "b", "attributes": {"email": "exists@a.com"}}])
    first, second = (one["id"] for one in answer["referrals"])

    def delivery(referral: str) -> Any:
        status, shown = door.get(referral)
        assert status == 200
        [only] = shown.pop("deliveries")
        assert list(shown) == ["id", "campaign", "external_id", "accepted_at"]
        assert (shown["id"], shown["campaign"]) == (referral, "cmp_news")
        return only

    waiting = {
        "connection": "Mailing list", "status": "pending", "outcome": "", "attempts": 0,
        "status_code": None, "error_code": "", "reason": "", "reference": "",
    }  # fmt: skip
    due = delivery(first)
    assert due.pop("next_attempt_at") is not None
    assert due == waiting
    deliver()
    assert delivery(first) == waiting | {
        "status": "delivered", "outcome": "delivered", "attempts": 1, "next_attempt_at": None,
        "status_code": 200, "reference": "eb9e0867a6ecd7e9c79c332596e631bc",
    }  # fmt: skip
    known = delivery(second)
    assert (known["status"], known["status_code"]) == ("duplicate", 400)
    assert known["reason"].startswith("exists@a.com is already a list member.")


def test_a_referral_without_deliveries_has_none(door: Door) -> None:
    _, answer = door.post(JO)

    status, shown = door.get(answer["referrals"][0]["id"])

    assert (status, shown["external_id"], shown["deliveries"]) == (200, "order-1", [])


def test_looking_at_a_referral_takes_a_few_queries(
    door: Door, link: Link, django_assert_max_num_queries: Any
) -> None:
    _, answer = door.post(JO)

    with django_assert_max_num_queries(6):
        door.get(answer["referrals"][0]["id"])


def test_the_api_is_the_one_that_its_callers_know() -> None:
    schema = json.loads(json.dumps(api.get_openapi_schema()))

    assert schema == json.loads(SNAPSHOT.read_text()), f"Meant? Renew it: {RENEW}"


@pytest.mark.usefixtures("uncollected")
def test_the_page_about_the_api_comes_from_our_own_files(client: Client) -> None:
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


def test_the_description_of_the_api_needs_no_key(client: Client) -> None:
    response = client.get("/api/v1/openapi.json")

    assert (response.status_code, response.json()["info"]["title"]) == (200, "Referral intake")
