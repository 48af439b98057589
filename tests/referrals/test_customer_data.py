"""Tests of what a CRM receives of a customer, and of what the log masks."""

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
from tests.users import SOMEBODY

pytestmark = pytest.mark.usefixtures("unlimited_slice")

PERSON = """{"email_address": "{{ email }}", "status": "subscribed",
 "merge_fields": {"FNAME": "{{ first_name }}", "PHONE": "{{ mobile }}", "CITY": "{{ suburb }}"}}"""
FORM = "api_key={{ credentials.api_key }}\nemail={{ email }}\nlist=leads\nboolean=true"


def stored_text() -> str:
    """Return every stored value of the attempts as one text."""
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
    assert "demo-key" not in stored_text()
    assert credentials not in stored_text()


def test_a_key_in_the_body_and_in_the_url_is_masked_as_well(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec, crm: CRM
) -> None:
    keyed = replace(
        connection_spec,
        endpoints={"production": f"{crm.url}/subscribe"},
        authorization=ApiKey(location="query", name="token", key="qüery key/+"),
        credentials={"api_key": crm.key},
        encoding="urlencoded",
        document=FORM,
    )
    link_campaign(campaign, connection=store_connection(keyed, account=account), by=SOMEBODY)
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
        assert form not in stored_text()


def test_a_key_that_the_crm_echoes_is_masked(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec, crm: CRM
) -> None:
    echoed = replace(connection_spec, credentials={"name": "exists"}, required=())
    echoed = replace(echoed, document=PERSON.replace("{{ email }}", "{{ credentials.name }}@a.com"))
    link_campaign(campaign, connection=store_connection(echoed, account=account), by=SOMEBODY)
    create_referrals(campaign, "jo@example.com")
    deliver()

    attempt = DeliveryAttempt.objects.get()
    assert attempt.reason == (
        "••••@a.com is already a list member. Use PUT to insert or update list members."
    )
    assert json.loads(bytes(attempt.response_body or b""))["detail"] == attempt.reason
    assert crm.received()[0].email == "exists@a.com"
    assert "exists@" not in stored_text()


@pytest.mark.parametrize(
    ("kind", "shared"),
    [
        ("lead_generation", {"FNAME": "Jo", "PHONE": "+15550100", "CITY": "Seattle"}),
        ("email_subscription", {"FNAME": "Jo", "CITY": "Seattle"}),
        ("website_traffic", {"CITY": "Seattle"}),
    ],
)
def test_a_campaign_shares_only_the_attributes_that_its_kind_allows(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec, crm: CRM,
    kind: str, shared: dict[str, str],
) -> None:  # fmt: skip
    campaign.kind = kind
    campaign.save()
    free = replace(connection_spec, required=(), document=PERSON)
    link_campaign(campaign, connection=store_connection(free, account=account), by=SOMEBODY)
    attributes: dict[str, Any] = {"first_name": "Jo", "mobile": "+15550100", "suburb": "Seattle"}
    create_referrals(campaign, "jo@example.com", **attributes)

    deliver()

    [received] = crm.received()
    body = json.loads(received.body)
    assert body["merge_fields"] == shared
    assert ("email_address" in body) is (kind != "website_traffic")
    if kind != "lead_generation":
        assert "+15550100" not in stored_text()
