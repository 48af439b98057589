"""Tests of the list of connections and campaigns on the Real-time Referral page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.operations.pause_hold_release import hold_connection
from tests.referrals.pages.helpers import PAGE, text
from tests.users import SOMEBODY

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def test_an_empty_page_says_what_to_do_next(browser: Client) -> None:
    html = text(browser.get(PAGE))
    assert "There is no connection yet" in html
    assert reverse("admin:connections_connection_add") in html


def test_connections_are_listed_with_their_linked_campaigns(browser: Client, link: Link) -> None:
    html = text(browser.get(PAGE))
    assert "Mailing list" in html
    assert "1 linked" in html
    assert 'aria-label="Unlink Newsletter"' in html
    assert f'id="connection-{link.connection_id}" >' in html


def test_unlinked_campaigns_are_shown_on_request(
    browser: Client, connection: Connection, campaign: Campaign
) -> None:
    url = f"{PAGE}?connection={connection.pk}"
    assert "Unlinked campaigns" not in text(browser.get(url))
    html = text(browser.get(f"{url}&unlinked=1"))
    assert 'aria-label="Link Newsletter"' in html


def test_archived_campaigns_are_not_offered(
    browser: Client, connection: Connection, campaign: Campaign
) -> None:
    Campaign.objects.update(status="archived")
    html = text(browser.get(f"{PAGE}?connection={connection.pk}&unlinked=1"))
    assert "Newsletter" not in html


def test_a_campaign_that_may_not_share_a_required_attribute_says_so(
    browser: Client, connection: Connection, campaign: Campaign
) -> None:
    Campaign.objects.update(kind="website_traffic")
    html = text(browser.get(f"{PAGE}?connection={connection.pk}&unlinked=1"))
    assert "May not share email, which the connection requires." in html
    assert 'aria-label="Link Newsletter"' not in html


def test_a_search_finds_campaigns_among_hundreds(
    browser: Client, connection: Connection, account: Account
) -> None:
    kind = "lead_generation"
    Campaign.objects.bulk_create(
        Campaign(account=account, name=f"Campaign {number:03}", key=f"c{number}", kind=kind)
        for number in range(250)
    )
    url = f"{PAGE}?connection={connection.pk}&unlinked=1"
    html = text(browser.get(url))
    assert "100 of 250 are shown." in html
    assert "Campaign 199" not in html
    html = text(browser.get(f"{url}&campaign=n+199"))
    assert "Campaign 199" in html
    assert "Campaign 000" not in html


def test_a_connection_is_found_by_its_name_or_account(
    browser: Client, connection: Connection
) -> None:
    assert "Mailing list" in text(browser.get(f"{PAGE}?q=mail"))
    assert "Mailing list" in text(browser.get(f"{PAGE}?q=acme"))
    assert "No connection is called “other”" in text(browser.get(f"{PAGE}?q=other"))


def test_the_page_opens_at_the_requested_connection(
    browser: Client, account: Account, connection: Connection
) -> None:
    Connection.objects.bulk_create(
        Connection(account=account, name=f"CRM {number:02}") for number in range(40)
    )
    last = Connection.objects.get(name="CRM 39")
    html = text(browser.get(f"{PAGE}?connection={last.pk}"))
    assert f'id="connection-{last.pk}" open' in html
    assert "Page 2 of 2" in html


@pytest.mark.parametrize("query", ["?connection=abc", "?connection=0", "?page=99&connection=7"])
def test_an_invalid_query_shows_the_first_page(
    browser: Client, connection: Connection, query: str
) -> None:
    assert "Mailing list" in text(browser.get(PAGE + query))


def test_a_held_connection_shows_its_reason(browser: Client, connection: Connection) -> None:
    hold_connection(connection.pk, reason="Credentials refused.", by=SOMEBODY)
    html = text(browser.get(PAGE))
    assert "Credentials refused." in html
    assert "Release" in html


def test_the_page_of_twenty_connections_takes_at_most_15_queries(
    browser: Client, account: Account, django_assert_max_num_queries: Any
) -> None:
    connections = Connection.objects.bulk_create(
        Connection(account=account, name=f"CRM {number}") for number in range(20)
    )
    campaigns = Campaign.objects.bulk_create(
        Campaign(account=account, name=f"C {number}", key=f"c{number}", kind="lead_generation")
        for number in range(20)
    )
    for campaign, connection in zip(campaigns, connections, strict=True):
        link_campaign(campaign, connection=connection, by=SOMEBODY)
    with django_assert_max_num_queries(15):
        browser.get(PAGE)
