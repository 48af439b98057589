"""Tests of the page that delivers past referrals to a new link."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign, unlink_campaign
from referrals.models import Delivery
from referrals.pages import backfill
from tests.history import history
from tests.referrals.factories import create_referrals, deliver
from tests.referrals.pages.helpers import messages, text
from tests.users import SOMEBODY, create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")


@pytest.fixture
def late(campaign: Campaign, connection: Connection) -> Link:
    """Link a campaign that already has two referrals."""
    create_referrals(campaign, "a@example.com", "b@example.com")
    return link_campaign(campaign, connection=connection, by=SOMEBODY)


def url_for(link: Link) -> str:
    return reverse("admin:deliver_past", args=[link.connection_id, link.campaign_id])


def test_the_page_counts_past_referrals_without_a_delivery(browser: Client, late: Link) -> None:
    html = text(browser.get(url_for(late)))
    assert "The last 24 hours: 2 referrals" in html
    assert 'value="day" checked' in html
    assert not Delivery.objects.exists()


def test_past_referrals_are_delivered_once(browser: Client, late: Link) -> None:
    response = browser.post(url_for(late), {"since": "day"})
    message = "Past referrals of Newsletter that are delivered to Mailing list now: 2."
    assert messages(response) == [message]
    assert response.headers["Location"].startswith(
        f"/admin/real-time-referral/?connection={late.connection_id}"
    )
    entry = ("Eda", "admin", "Past referrals of Newsletter delivered to Mailing list: 2.")
    assert (history(late.campaign)[1:], history(late.connection)[1:]) == ([entry], [entry])
    assert deliver() == {"delivered": 2}

    again = browser.post(url_for(late), {"since": "day"})
    assert "There are none" in text(again)
    assert Delivery.objects.count() == 2


def test_too_many_past_referrals_are_left_to_the_command(
    browser: Client, late: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "MAX_AT_ONCE", 1)
    command = f"manage.py replay --backfill --campaign cmp_news --connection {late.connection_id}"
    assert command in text(browser.get(url_for(late)))
    browser.post(url_for(late), {"since": "day"})
    assert not Delivery.objects.exists()


def test_an_unknown_period_shows_the_form_again(browser: Client, late: Link) -> None:
    assert "How far back?" in text(browser.post(url_for(late), {"since": "century"}))
    assert not Delivery.objects.exists()


def test_an_unlinked_campaign_is_not_found(
    browser: Client, late: Link, campaign: Campaign, connection: Connection
) -> None:
    unlink_campaign(campaign, connection=connection, by=SOMEBODY)
    assert browser.post(url_for(late), {"since": "day"}).status_code == 404
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("Reporter", 403), ("Editor", 404)])
def test_a_reporter_and_a_member_of_another_account_are_refused(
    account: Account, late: Link, role: str, status: int
) -> None:
    other = Account.objects.create(name="Other", slug="other")
    user = create_user("Stan", account if role == "Reporter" else other, role=role)
    assert login_client(user).post(url_for(late), {"since": "day"}).status_code == status
    assert not Delivery.objects.exists()
