"""The procedures “Linking campaigns” and “Unlinking campaigns”, step by step."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from connections.models import Account, Campaign, Connection, ConnectionTest, Link
from referrals.models import Delivery
from tests.referrals.factories import create_referrals


@pytest.fixture
def tested(connection: Connection) -> Connection:
    """Return the connection with a successful test."""
    ConnectionTest.objects.create(
        connection=connection, environment="testing", started_at=timezone.now(),
        outcome="delivered", is_good=True, connection_changed_at=connection.changed_at,
    )  # fmt: skip
    return connection


def go_to_the_real_time_referral_page(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name="Real-time Referral").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Real-time Referral")


def expand(page: Page, connection: str = "Mailing list") -> Any:
    """Expand the connection on the page; return its section."""
    section = page.locator("details.connection").filter(has_text=connection)
    section.locator("summary").first.click()
    return section


def test_a_campaign_is_linked_by_the_documented_steps(
    page: Page, tested: Connection, campaign: Campaign
) -> None:
    # 1. Go to the Real-time Referral page.
    go_to_the_real_time_referral_page(page)
    # 2. Expand the connection that you want to link a campaign to.
    section = expand(page)
    # 3. Click Show unlinked.
    section.get_by_role("link", name="Show unlinked").click()
    # 4. Find the campaign that you want to link to your connection and click Link.
    section.get_by_role("searchbox", name="Campaign").fill("news")
    section.get_by_role("button", name="Search").click()
    section.get_by_role("button", name="Link Newsletter").click()
    # 5. The campaign is now linked to your connection.
    linked = section.get_by_role("region", name="Linked campaigns", exact=True)
    expect(linked.get_by_role("row", name="Newsletter")).to_contain_text("by admin")
    expect(page.get_by_text("Linked Newsletter to Mailing list.")).to_be_visible()
    assert Link.objects.active().get().campaign == campaign


def test_a_campaign_is_unlinked_by_the_documented_steps(page: Page, link: Link) -> None:
    # 1. Go to the Real-time Referral page.
    go_to_the_real_time_referral_page(page)
    # 2. Expand the connection.
    section = expand(page)
    # 3. Find the campaign that you want to unlink from your connection and click Unlink.
    section.get_by_role("button", name="Unlink Newsletter").click()
    # 4. Click Show unlinked.
    section.get_by_role("link", name="Show unlinked").click()
    # 5. Confirm that your campaign is now unlinked from your connection.
    unlinked = section.get_by_role("region", name="Unlinked campaigns")
    expect(unlinked.get_by_role("row", name="Newsletter")).to_be_visible()
    expect(section.get_by_text("No campaign is linked yet.")).to_be_visible()
    assert not Link.objects.active().exists()


def test_unlinking_asks_about_pending_deliveries(
    page: Page, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com", "mia@example.com")
    go_to_the_real_time_referral_page(page)
    expand(page).get_by_role("button", name="Unlink Newsletter").click()

    expect(page.get_by_text("2 deliveries wait.")).to_be_visible()
    expect(page.get_by_label("Deliver them still")).to_be_checked()
    page.get_by_label("Cancel them").check()
    page.get_by_role("button", name="Unlink").click()

    expect(page.get_by_text("Cancelled deliveries: 2.")).to_be_visible()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"cancelled"}


def test_linking_several_campaigns_to_an_untested_connection_warns(
    page: Page, connection: Connection, campaign: Campaign, account: Account
) -> None:
    for name in ("Autumn", "Winter"):
        Campaign.objects.create(account=account, name=name, key=name, kind="lead_generation")
    go_to_the_real_time_referral_page(page)
    section = expand(page)
    section.get_by_role("link", name="Show unlinked").click()
    section.get_by_label("Select Autumn").check()
    section.get_by_label("Select Winter").check()
    section.get_by_role("button", name="Link selected").click()

    expect(page.get_by_text("Mailing list was never tested.")).to_be_visible()
    page.get_by_role("button", name="Link anyway").click()

    linked = section.get_by_role("region", name="Linked campaigns", exact=True)
    expect(linked.get_by_role("row")).to_have_count(3)
    assert set(Link.objects.values_list("campaign__name", flat=True)) == {"Autumn", "Winter"}


def test_the_page_works_by_keyboard_and_without_javascript(
    open_page: Any, admin_user: Any, tested: Connection, campaign: Campaign
) -> None:
    page = open_page(admin_user, java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.goto("/admin/real-time-referral/")
    page.locator("details.connection > summary").press("Enter")
    page.get_by_role("link", name="Show unlinked").press("Enter")
    page.get_by_role("button", name="Link Newsletter").press("Enter")
    expect(page.get_by_text("Linked Newsletter to Mailing list.")).to_be_visible()
    width = page.locator("html").evaluate("html => html.scrollWidth")
    assert width <= 390
