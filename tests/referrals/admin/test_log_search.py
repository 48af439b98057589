"""Tests of the search in the delivery log."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from connections.models import Account
from referrals.admin import log_search
from tests.referrals.admin.helpers import listed
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order-1", ["order-10", "order-1"]),
        ("order-10", ["order-10"]),
        ("ref-7", ["order-2"]),
        ("ORDER", []),
        ("order-2@example.COM", ["order-2"]),
        ("order-2@example", []),
        ("%", []),
    ],
)
def test_a_search_matches_external_id_reference_and_email_address(
    browser: Client, create_delivery: Any, text: str, found: list[str]
) -> None:
    create_delivery("order-1")
    create_delivery("order-2", reference="ref-77")
    create_delivery("order-10")
    assert listed(browser, f"?q={text.replace('%', '%25')}") == found


def test_a_search_by_email_address_requires_the_permission_to_see_customers(
    account: Account, create_delivery: Any
) -> None:
    create_delivery("order-1")
    create_delivery("mia@example.com")
    browser = login_client(create_user("Rob", account, role="Reporter"))
    assert listed(browser, "?q=order-1@example.com") == []
    assert listed(browser, "?q=mia@") == []


def test_a_search_finds_nothing_of_other_accounts(create_delivery: Any) -> None:
    create_delivery("order-1", reference="ref-1")
    other = Account.objects.create(name="Other", slug="other")
    foreign_editor = login_client(create_user("Stan", other, role="Editor", sees_customers=True))
    for text in ("order-1", "ref-1", "order-1@example.com"):
        assert listed(foreign_editor, f"?q={text}") == []


def test_a_search_returns_a_limited_number_of_deliveries(
    browser: Client, create_delivery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "MAX_FOUND", 2)
    for number in range(3):
        create_delivery(f"order-{number}")
    assert len(listed(browser, "?q=order")) == 2
