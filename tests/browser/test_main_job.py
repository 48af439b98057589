"""The main job from end to end.

A connection is created, tested and linked in the browser; a referral is posted to the API, a worker
delivers it, and its page shows the exchange.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from connections.models import Account, Campaign
from connections.simulator import CRM
from referrals.models import IntakeKey
from referrals.models.intake_keys import issue_key
from tests.browser.connection_page import (
    go_to_sources,
    link,
    open_tab,
    press_test,
    save,
)
from tests.timing import WAIT_SECONDS
from tests.users import create_user

COMMAND = """curl -X POST \\
  '{crm}/3.0/lists/production/members' \\
  --user 'anystring:{key}' \\
  -H 'content-type: application/json' \\
  -d '{{"email_address": "urist@example.com", "status": "subscribed",
       "merge_fields": {{"FNAME": "Urist", "LNAME": "McVankab"}}}}'"""

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def page(open_page: Callable[..., Page], transactional_db: None, account: Account) -> Page:
    """Return a page with an editor logged in who may see customer data."""
    return open_page(create_user("Eda", account, role="Editor", sees_customers=True))


@pytest.fixture
def website(open_page: Callable[..., Page], account: Account, campaign: Campaign) -> Website:
    """Return a website that posts referrals with an intake key of the account."""
    key = issue_key(IntakeKey(account=account, name="Website"))
    return Website(open_page(None), campaign, key)


class Website:
    """A client of the intake API."""

    def __init__(self, browser: Page, campaign: Campaign, key: str) -> None:
        self._requests = browser.request
        self._address = f"/api/v1/campaigns/{campaign.key}/referrals"
        self._headers = {"Authorization": f"Bearer {key}"}

    def post_referral(self, external_id: str, **attributes: str) -> None:
        """Post one referral to the live server."""
        response = self._requests.post(
            self._address,
            headers=self._headers,
            data={"external_id": external_id, "attributes": attributes},
        )
        assert (response.status, response.json()["referrals"][0]["is_new"]) == (202, True)


def expect_delivered(page: Page, external_id: str) -> None:
    """Wait until the delivery log shows it as delivered, and open the page of the delivery."""
    end = time.monotonic() + WAIT_SECONDS
    row = page.locator("#result_list tbody tr").filter(has_text=external_id)
    while True:
        page.goto("/admin/")
        page.get_by_role("link", name="Delivery log").click()
        if row.get_by_text("Delivered").count():
            break
        assert time.monotonic() < end, row.all_inner_texts()
    row.get_by_role("link", name=external_id).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{external_id} →")
    expect(page.get_by_role("heading", level=1)).to_contain_text("✓ Delivered")
    expect(page.locator("details.attempt")).to_have_count(1)
    expect(page.get_by_label("Response", exact=True)).to_contain_text("HTTP 200")


def test_a_referral_is_delivered_by_a_connection_from_a_preset(
    page: Page, crm: CRM, campaign: Campaign, website: Website
) -> None:
    go_to_sources(page)
    page.get_by_label("Search presets").fill("mailchimp")
    presets = page.get_by_role("region", name="From a preset")
    expect(presets.get_by_role("listitem")).to_have_count(2)
    presets.get_by_role("link", name="Mailchimp Add list member").click()
    page.get_by_label("Name:", exact=True).fill("Newsletter list")
    page.get_by_label("Production:").fill(f"{crm.url}/3.0/lists/production/members")
    page.get_by_label("Testing:").fill(f"{crm.url}/3.0/lists/testing/members")
    page.get_by_label("Password:").fill(crm.key)
    page.get_by_role("button", name="Create connection").click()
    expect(page.get_by_text("1 of 8 missing")).to_be_visible()
    press_test(page)
    expect(page.get_by_label("Result")).to_contain_text("As expected.")

    link(page, "Newsletter list", campaign.name)
    website.post_referral("order-1001", email="jo@example.com", first_name="Jo", last_name="Doe")

    expect_delivered(page, "order-1001")
    expect(page.locator("pre").first).to_contain_text('"email_address": "jo@example.com"')
    assert [one.email for one in crm.received()] == ["john.smith@example.com", "jo@example.com"]


def test_a_referral_is_delivered_by_a_connection_from_a_pasted_command(
    page: Page, crm: CRM, campaign: Campaign, website: Website
) -> None:
    go_to_sources(page)
    page.get_by_label("Command:").fill(COMMAND.format(crm=crm.url, key=crm.key))
    page.get_by_role("button", name="Read the command").click()
    expect(page.get_by_text("User name anystring and password.")).to_be_visible()
    expect(page.get_by_label("email_address")).to_have_value("{{ email }}")
    expect(page.get_by_label("status", exact=True)).to_have_value("")
    page.get_by_label("merge_fields.LNAME").select_option("keep McVankab")
    page.get_by_label("Name:", exact=True).fill("From curl")
    page.get_by_label("Environment:").select_option("Production")
    page.get_by_role("button", name="Create connection").click()
    settings = open_tab(page, "Settings")
    settings.get_by_label("Send tests to:").select_option("Production")
    save(page)
    press_test(page)
    expect(page.get_by_label("Result")).to_contain_text("As expected.")

    link(page, "From curl", campaign.name)
    website.post_referral("order-1002", email="mia@example.com", first_name="Mia", last_name="Doe")

    expect_delivered(page, "order-1002")
    request = page.locator("pre").first
    expect(request).to_contain_text('"FNAME": "Mia"')
    expect(request).to_contain_text('"LNAME": "McVankab"')
    assert [one.email for one in crm.received()] == ["urist@example.com", "mia@example.com"]
