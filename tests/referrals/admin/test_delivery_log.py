"""Tests of the delivery log: what it lists, and its queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from referrals.admin import paging
from tests.referrals.admin.helpers import LOG, listed

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def test_an_empty_log_says_what_to_do_next(browser: Client) -> None:
    content = browser.get(LOG).content.decode()
    assert "Nothing has been delivered yet" in content
    assert "/admin/real-time-referral/" in content


def test_the_log_says_if_no_delivery_matches_the_filter(
    browser: Client, create_delivery: Any
) -> None:
    create_delivery("a")
    assert "No delivery fits." in browser.get(f"{LOG}?status=rejected").content.decode()


def test_the_log_lists_the_newest_delivery_first_with_its_duration(
    browser: Client, create_delivery: Any
) -> None:
    create_delivery("first")
    create_delivery("second")
    assert listed(browser) == ["second", "first"]
    assert "after 1.2 s" in browser.get(LOG).content.decode()


def test_the_log_counts_deliveries_up_to_a_limit(
    browser: Client, create_delivery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_COUNT", 2)
    for number in range(3):
        create_delivery(f"order-{number}")
    content = browser.get(LOG).content.decode()
    assert "There are more than 2." in content
    filtered = browser.get(f"{LOG}?q=order-1").content.decode()
    assert "There are more than" not in filtered


def test_the_log_of_twenty_deliveries_takes_at_most_14_queries(
    browser: Client, create_delivery: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        create_delivery(f"order-{number}")
    with django_assert_max_num_queries(14):
        browser.get(LOG)


def test_the_log_selects_no_attributes_and_no_bodies(
    browser: Client, create_delivery: Any, django_assert_max_num_queries: Any
) -> None:
    create_delivery("a")
    with django_assert_max_num_queries(20) as queries:
        browser.get(LOG)
    [lines] = [one["sql"] for one in queries if '"external_id"' in one["sql"]]
    for column in ("attributes", '"email"', "document", "secrets"):
        assert column not in lines
