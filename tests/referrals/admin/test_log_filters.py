"""Tests of the filters of the delivery log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connections.models import Account, Campaign, Connection
from referrals.models import DeliveryAttempt
from tests.referrals.admin.helpers import LOG, listed

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def test_the_log_is_filtered_by_account_campaign_and_connection(
    browser: Client,
    create_delivery: Any,
    account: Account,
    campaign: Campaign,
    connection: Connection,
) -> None:
    other = Connection.objects.create(account=account, name="Other")
    other_campaign = Campaign.objects.create(
        account=account, name="Other", key="o", kind="lead_generation"
    )
    create_delivery("a")
    create_delivery("b", connection=other, campaign=other_campaign)
    assert listed(browser, f"?campaign={campaign.pk}") == ["a"]
    assert listed(browser, f"?connection={other.pk}") == ["b"]
    assert listed(browser, f"?account={account.pk}") == ["b", "a"]
    assert listed(browser, "?account=0") == []


def test_the_log_is_filtered_by_status_and_last_outcome(
    browser: Client, create_delivery: Any
) -> None:
    create_delivery("waits", "pending", outcome="unauthorized")
    create_delivery("finished", "unauthorized")
    create_delivery("cancelled", "cancelled", outcome="throttled")
    create_delivery("fine")
    assert listed(browser, "?status=pending") == ["waits"]
    assert listed(browser, "?outcome=unauthorized") == ["finished", "waits"]
    assert listed(browser, "?outcome=throttled") == ["cancelled"]
    assert listed(browser, "?status=pending&outcome=unauthorized") == ["waits"]


def test_the_log_is_filtered_by_status_code_and_error_code_of_any_attempt(
    browser: Client, create_delivery: Any
) -> None:
    create_delivery("busy", response_status=503)
    create_delivery("lost", response_status=None, error_code="read_timeout")
    both = create_delivery("both", response_status=503)
    DeliveryAttempt.objects.create(
        delivery=both, number=2, trigger="retry", started_at=timezone.now(), outcome="delivered",
        response_status=503,
    )  # fmt: skip
    assert listed(browser, "?code=503") == ["both", "busy"]
    assert listed(browser, "?error=read_timeout") == ["lost"]


def test_the_log_is_filtered_by_time(browser: Client, create_delivery: Any) -> None:
    now = timezone.now().replace(microsecond=0)
    for days in (3, 2, 1):
        create_delivery(f"{days} days", created_at=now - timedelta(days=days))
    two_days = (now - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S")
    assert listed(browser, f"?since={two_days}") == ["1 days", "2 days"]
    assert listed(browser, f"?until={two_days}") == ["3 days"]
    assert listed(browser, f"?since={two_days}&until={two_days}") == []
    assert listed(browser, "?since=2999-01-01T00:00") == []
    assert listed(browser, "?until=1999-01-01T00:00") == []


@pytest.mark.parametrize(
    "query", ["code=x", "campaign=x", "since=x", "outcome=x", "connection=99999999999999999999"]
)
def test_an_invalid_filter_value_redirects_to_the_log_without_filters(
    browser: Client, create_delivery: Any, query: str
) -> None:
    create_delivery("a")
    response = browser.get(f"{LOG}?{query}")
    assert (response.status_code, response.headers["Location"]) == (302, f"{LOG}?e=1")
