"""What a CRM gets and what the log keeps: no credential is kept, no attribute shared too widely."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection as database

from connections.core.request.authorization.static import ApiKey
from connections.core.spec import ConnectionSpec
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Link
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals.models import DeliveryAttempt
from tests.referrals.factories import create_referrals, deliver

pytestmark = pytest.mark.usefixtures("patient")

PERSON = """{"email_address": "{{ email }}", "status": "subscribed",
 "merge_fields": {"FNAME": "{{ first_name }}", "PHONE": "{{ mobile }}", "CITY": "{{ suburb }}"}}"""
FORM = "api_key={{ credentials.api_key }}\nemail={{ email }}\nlist=leads\nboolean=true"


def kept() -> str:
    """Everything that the rows of the log hold, as the database has it."""
    with database.cursor() as cursor:
        cursor.execute("SELECT * FROM referrals_deliveryattempt")
        columns = [column for row in cursor.fetchall() for column in row]
    return "\n".join(
        bytes(column).decode("utf-8", "replace")
        if isinstance(column, bytes | memoryview)
        else str(column)
        for column in columns
    )


def test_the_log_shows_the_exact_exchange_without_the_key(
    crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com", first_name="Jo")
    deliver()

    attempt, [received] = DeliveryAttempt.objects.get(), crm.received()
    credentials = base64.b64encode(b"referrals:demo-key").decode()
    assert received.headers["Authorization"] == f"Basic {credentials}"
    request = attempt.request()
    assert dict(request.headers) == {**received.headers, "Authorization": "Basic ••••"}
    assert (request.method, request.url) == ("POST", f"{crm.url}{received.path}")
    assert (
        request.body.decode()
        == received.body
        == (
            '{"email_address": "jo@example.com", "status": "subscribed", '
            '"merge_fields": {"FNAME": "Jo"}}'
        )
    )
    assert "demo-key" not in kept()
    assert credentials not in kept()


def test_a_key_in_the_body_and_in_the_url_is_masked_as_well(
    account: Account, campaign: Campaign, described: ConnectionSpec, crm: CRM
) -> None:
    keyed = replace(
        described,
        endpoints={"production": f"{crm.url}/subscribe"},
        authorization=ApiKey(location="query", name="token", key="qüery key/+"),
        credentials={"api_key": crm.key},
        encoding="urlencoded",
        document=FORM,
    )
    link_campaign(campaign, connection=store_connection(keyed, account=account), by=None)
    create_referrals(campaign, "jo@example.com")
    deliver()

    attempt, [received] = DeliveryAttempt.objects.get(), crm.received()
    assert received.body == "api_key=demo-key&email=jo%40example.com&list=leads&boolean=true"
    assert received.path == "/subscribe?token=q%C3%BCery%20key%2F%2B"
    assert bytes(attempt.request_body or b"").decode() == (
        "api_key=••••&email=jo%40example.com&list=leads&boolean=true"
    )
    assert attempt.request_url == f"{crm.url}/subscribe?token=••••"
    for form in ("demo-key", "qüery", "q%C3%BCery"):
        assert form not in kept()


def test_a_key_that_the_crm_echoes_is_masked(
    account: Account, campaign: Campaign, described: ConnectionSpec, crm: CRM
) -> None:
    echoed = replace(described, credentials={"name": "exists"}, required=())
    echoed = replace(echoed, document=PERSON.replace("{{ email }}", "{{ credentials.name }}@a.com"))
    link_campaign(campaign, connection=store_connection(echoed, account=account), by=None)
    create_referrals(campaign, "jo@example.com")
    deliver()

    attempt = DeliveryAttempt.objects.get()
    assert attempt.reason == (
        "••••@a.com is already a list member. Use PUT to insert or update list members."
    )
    assert json.loads(bytes(attempt.response_body or b""))["detail"] == attempt.reason
    assert crm.received()[0].email == "exists@a.com"
    assert "exists@" not in kept()


@pytest.mark.parametrize(
    ("kind", "shared"),
    [
        ("lead_generation", {"FNAME": "Jo", "PHONE": "+15550100", "CITY": "Seattle"}),
        ("email_subscription", {"FNAME": "Jo", "CITY": "Seattle"}),
        ("website_traffic", {"CITY": "Seattle"}),
    ],
)
def test_a_kind_of_campaign_shares_what_it_may_and_no_more(
    account: Account, campaign: Campaign, described: ConnectionSpec, crm: CRM,
    kind: str, shared: dict[str, str],
) -> None:  # fmt: skip
    campaign.kind = kind
    campaign.save()
    free = replace(described, required=(), document=PERSON)
    link_campaign(campaign, connection=store_connection(free, account=account), by=None)
    attributes: dict[str, Any] = {"first_name": "Jo", "mobile": "+15550100", "suburb": "Seattle"}
    create_referrals(campaign, "jo@example.com", **attributes)

    deliver()

    [received] = crm.received()
    body = json.loads(received.body)
    assert body["merge_fields"] == shared
    assert ("email_address" in body) is (kind != "website_traffic")
    if kind != "lead_generation":
        assert "+15550100" not in kept()
