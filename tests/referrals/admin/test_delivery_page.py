"""Tests of a delivery's page and its attempts."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections.models import Campaign, Link
from connections.operations.connection_tests import send_test
from connections.simulator import CRM
from referrals.models import Delivery, DeliveryAttempt
from tests.referrals.admin.helpers import get_html, page_url
from tests.referrals.factories import create_referrals

pytestmark = pytest.mark.usefixtures("unmanifested_static", "unlimited_slice")


def test_the_page_shows_the_exact_exchange_and_the_rule_that_matched(
    browser: Client, delivery: Delivery
) -> None:
    html = get_html(browser, page_url(delivery, "change/"))
    assert "outcome-duplicate" in html
    assert "HTTP 400" in html
    assert "Member Exists → duplicate" in html
    assert "exists@example.com is already a list member" in html
    assert "Basic ••••" in html
    assert '<span class="hl-s2">&quot;Jolanda&quot;</span>' in html
    assert delivery.idempotency_key in html


def test_the_page_says_whether_the_connection_is_tested(
    browser: Client, delivery: Delivery
) -> None:
    assert "Untested" in get_html(browser, page_url(delivery, "change/"))
    send_test(delivery.connection)
    assert "Untested" not in get_html(browser, page_url(delivery, "change/"))


def test_the_newest_attempt_is_shown_first_and_expanded(
    browser: Client, delivery: Delivery
) -> None:
    DeliveryAttempt.objects.create(
        delivery=delivery, number=2, trigger="replay", started_at=timezone.now(), outcome="unknown",
        error_code="read_timeout", error_message="No answer within 15 s.",
        reason="No answer within 15 s.",
    )  # fmt: skip
    html = get_html(browser, page_url(delivery, "change/"))
    assert html.count('<details class="attempt module" open>') == 1
    assert html.index("read_timeout") < html.index("Member Exists")
    assert "Not sent." in html


def test_many_attempts_are_shown_in_pages(browser: Client, delivery: Delivery) -> None:
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            delivery=delivery, number=number, trigger="retry", started_at=timezone.now(),
            outcome="throttled", reason=f"busy {number};",
        )
        for number in range(2, 41)
    )  # fmt: skip
    html = get_html(browser, page_url(delivery, "change/"))
    assert ("busy 40;" in html, "busy 16;" in html, "busy 15;" in html) == (True, True, False)
    assert "?before=16" in html
    earlier = get_html(browser, page_url(delivery, "change/?before=16"))
    assert ("busy 15;" in earlier, "busy 16;" in earlier) == (True, False)
    assert "Show the latest" in earlier


def test_a_delivery_without_an_attempt_says_when_the_first_comes(
    browser: Client, campaign: Campaign, link: Link, crm: CRM
) -> None:
    create_referrals(campaign, "jo@example.com")
    html = get_html(browser, page_url(Delivery.objects.get(), "change/"))
    assert "None yet. The first comes as soon as a worker is free" in html


@pytest.mark.parametrize("path", ["attempts/1/other/", "attempts/999/request/", "999/change/"])
def test_an_unknown_delivery_or_attempt_is_not_found(browser: Client, path: str) -> None:
    assert browser.get(f"/admin/referrals/delivery/{path}", follow=True).status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_attempts(
    reporter: Client, delivery: Delivery
) -> None:
    with CaptureQueriesContext(database) as before:
        get_html(reporter, page_url(delivery, "change/"))
    DeliveryAttempt.objects.create(
        delivery=delivery, number=2, trigger="retry", started_at=timezone.now(), outcome="unknown"
    )
    with CaptureQueriesContext(database) as after:
        get_html(reporter, page_url(delivery, "change/"))
    assert len(after) == len(before)
