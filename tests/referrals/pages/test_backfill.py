"""Past referrals for a new link: the page that counts them, and what it does."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign, unlink_campaign
from referrals.models import Delivery
from referrals.pages import backfill
from tests.referrals.factories import create_referrals, deliver
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("uncollected")


@pytest.fixture
def browser(account: Account) -> Client:
    return login_client(create_user("Eda", account, role="Editor"))


@pytest.fixture
def late(campaign: Campaign, connection: Connection) -> Link:
    """A link that came after two referrals."""
    create_referrals(campaign, "a@example.com", "b@example.com")
    return link_campaign(campaign, connection=connection, by=None)


def address(link: Link) -> str:
    return reverse("admin:deliver_past", args=[link.connection_id, link.campaign_id])


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_the_page_counts_what_never_went_there(browser: Client, late: Link) -> None:
    shown = text(browser.get(address(late)))
    assert "The last 24 hours: 2 referrals" in shown
    assert 'value="day" checked' in shown
    assert not Delivery.objects.exists()


def test_what_never_went_there_is_delivered_once(browser: Client, late: Link) -> None:
    answer = browser.post(address(late), {"since": "day"})
    told = "Past referrals of Newsletter that are delivered to Mailing list now: 2."
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [told]
    assert answer.headers["Location"].startswith(
        f"/admin/real-time-referral/?connection={late.connection_id}"
    )
    assert LogEntry.objects.filter(change_message=told).count() == 2
    assert deliver() == {"delivered": 2}

    again = browser.post(address(late), {"since": "day"})
    assert "There are none" in text(again)
    assert Delivery.objects.count() == 2


def test_more_than_a_page_may_do_is_left_to_the_command(
    browser: Client, late: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "MAX_AT_ONCE", 1)
    command = f"manage.py replay --backfill --campaign cmp_news --connection {late.connection_id}"
    assert command in text(browser.get(address(late)))
    browser.post(address(late), {"since": "day"})
    assert not Delivery.objects.exists()


def test_an_unknown_period_is_asked_again(browser: Client, late: Link) -> None:
    assert "How far back?" in text(browser.post(address(late), {"since": "century"}))
    assert not Delivery.objects.exists()


def test_what_is_not_linked_any_more_gets_nothing(
    browser: Client, late: Link, campaign: Campaign, connection: Connection
) -> None:
    unlink_campaign(campaign, connection=connection, by=None)
    assert browser.post(address(late), {"since": "day"}).status_code == 404
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("Reporter", 403), ("Editor", 404)])
def test_others_may_not(account: Account, late: Link, role: str, status: int) -> None:
    other = Account.objects.create(name="Other", slug="other")
    person = create_user("Stan", account if role == "Reporter" else other, role=role)
    assert login_client(person).post(address(late), {"since": "day"}).status_code == status
    assert not Delivery.objects.exists()
