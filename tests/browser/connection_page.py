"""Steps on the page of a connection: tabs, rules, saving, testing and linking."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from connections.models import Connection


def go_to_sources(page: Page) -> None:
    """Click Connections in the menu, Add connection, and API under Referrals."""
    page.goto("/admin/")
    menu = page.get_by_role("navigation", name="Sidebar").get_by_role("row")
    menu.get_by_role("link", name="Connections", exact=True).click()
    page.get_by_role("link", name="Add connection").click()
    expect(page.get_by_role("heading", name="Referrals", exact=True)).to_be_visible()
    page.get_by_role("link", name="API Deliver every referral").click()


def go_to(page: Page, connection: Connection) -> None:
    """Open the page of the connection."""
    page.goto(connection.get_absolute_url())


def open_tab(page: Page, name: str) -> Locator:
    """Click a tab; return its panel."""
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel", name=name)


def add_rule(
    page: Page, number: int, *, status: str, outcome: str, path: str = "", value: str = ""
) -> None:
    """Add a rule for a status and, if a path is given, for the JSON value there."""
    page.get_by_role("button", name="Add rule").click()
    rule = page.locator(".rule-row").nth(number - 1)
    rule.get_by_label("Status:").fill(status)
    if path:
        rule.get_by_label("Where:").select_option("json")
        rule.get_by_label("Path:").fill(path)
        rule.get_by_label("Operator:").select_option("equals")
        rule.get_by_label("Value:").fill(value)
    rule.get_by_label("Outcome:").select_option(outcome)


def save(page: Page) -> None:
    """Click Save, and wait for the message that it was saved."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("successfully")).to_be_visible()


def press_test(page: Page) -> None:
    """Click Test, and wait for the result."""
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("heading", name="Why it was read so")).to_be_visible()


def link(page: Page, connection: str, campaign: str) -> None:
    """Link the campaign on the Real-time Referral page."""
    page.goto("/admin/")
    page.get_by_role("link", name="Real-time Referral").click()
    section = page.locator("details.connection").filter(has_text=connection)
    section.locator("summary").first.click()
    section.get_by_role("link", name="Show unlinked").click()
    section.get_by_role("button", name=f"Link {campaign}").click()
    expect(page.get_by_text(f"Linked {campaign} to {connection}.")).to_be_visible()
