"""The dashboard, the log and the page of a delivery, also on a small screen."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from connections.models import Campaign, Connection, Link
from referrals.models import Delivery
from tests.referrals.factories import create_referrals, deliver


@pytest.fixture
def unrecognised(campaign: Campaign, link: Link) -> Delivery:
    """Return a delivery whose response matches no rule; two others are delivered."""
    create_referrals(campaign, "jo@example.com", "mia@example.com", "odd@example.com")
    deliver()
    return Delivery.objects.get(status="unrecognised")


def test_an_unrecognised_response_is_found_from_the_dashboard(
    page: Page, unrecognised: Delivery
) -> None:
    page.goto("/admin/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Deliveries")
    expect(page.get_by_role("figure")).to_contain_text("3 deliveries")
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="Delivered")).to_be_visible()

    page.get_by_role("link", name="1 delivery").click()
    expect(page.get_by_label("Last outcome")).to_have_value("unrecognised")
    page.get_by_role("link", name="odd@example.com").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Unrecognised")
    expect(page.get_by_label("Response", exact=True)).to_contain_text("<!DOCTYPE html>")
    with page.expect_download() as download:
        page.get_by_role("link", name="Raw body").last.click()
    assert download.value.suggested_filename == f"delivery-{unrecognised.pk}-attempt-1-response.txt"


def test_the_dashboard_uses_the_width_of_the_window(page: Page, unrecognised: Delivery) -> None:
    # Django's own index page is 600 px wide at most, in which a table of connections breaks words.
    page.goto("/admin/")
    content = page.locator("#content").bounding_box()
    window = page.viewport_size
    assert content is not None
    assert window is not None
    assert content["x"] + content["width"] == window["width"]


def test_a_stored_response_is_read_again_with_a_new_rule(
    page: Page, unrecognised: Delivery, connection: Connection
) -> None:
    connection.response_rules.create(
        status="200", where="text", operator="contains", value="DOCTYPE", outcome="rejected",
        position=9,
    )  # fmt: skip
    page.goto(f"/admin/referrals/delivery/{unrecognised.pk}/change/")
    page.get_by_role("button", name="Re-read").click()
    expect(page.get_by_text("Answers that mean something else now: 1.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rejected")
    page.get_by_role("link", name="Who did what").click()
    expect(page.get_by_role("cell", name="Re-read: unrecognised → rejected.")).to_be_visible()


def test_selected_or_all_matching_deliveries_are_replayed_after_a_confirmation(
    page: Page, unrecognised: Delivery
) -> None:
    page.goto("/admin/referrals/delivery/?outcome=delivered")
    page.get_by_role("checkbox", name="Select this object").first.check()
    page.get_by_label("Action:").select_option("Replay…")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_role("heading", name="Replay 1 delivery?")).to_be_visible()
    page.get_by_role("link", name="Go back").click()

    page.get_by_role("button", name="Replay…").click()
    expect(page.get_by_role("heading", name="Replay 2 deliveries?")).to_be_visible()
    page.get_by_role("button", name="Replay 2").click()
    expect(page.get_by_text("Replayed deliveries: 2.")).to_be_visible()
    assert Delivery.objects.pending().count() == 2


def test_the_log_is_searched_and_filtered(page: Page, unrecognised: Delivery) -> None:
    page.goto("/admin/referrals/delivery/")
    page.get_by_label("Search").fill("mia@")
    page.get_by_label("Status", exact=True).select_option("Delivered")
    page.get_by_label("Status code").fill("200")
    page.get_by_role("button", name="Show").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("mia@example.com")
    page.get_by_role("link", name="Clear all").click()
    expect(rows).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_in_light_and_dark(
    open_page: Any, admin_user: User, unrecognised: Delivery, scheme: str
) -> None:
    page = open_page(admin_user, viewport={"width": 390, "height": 800}, color_scheme=scheme)
    widths = {}
    for address in (
        "/admin/",
        "/admin/referrals/delivery/",
        f"/admin/referrals/delivery/{unrecognised.pk}/change/",
        f"/admin/real-time-referral/?connection={unrecognised.connection_id}&unlinked=1",
    ):
        page.goto(address)
        widths[address] = page.locator("html").evaluate("html => html.scrollWidth")
    assert {address: width for address, width in widths.items() if width > 390} == {}
    page.goto("/admin/")
    page.get_by_role("navigation", name="All pages").get_by_text("Delivery log").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delivery log")
