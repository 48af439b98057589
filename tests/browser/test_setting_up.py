"""“Setting up the API connection”, step by step, as the page of the seed tells it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from connections.models import Account, Connection
from tests.browser.conftest import Visitor
from tests.crm import CRM

BODY = '{"email_address": "", "status": "subscribed"}'


def go_to_the_empty_form(visitor: Visitor) -> Page:
    page = visitor.open("/admin/")
    sidebar = page.get_by_role("navigation", name="Sidebar")
    sidebar.get_by_role("link", name="Connections", exact=True).first.click()
    page.get_by_role("link", name="Add connection").click()
    expect(page.get_by_role("heading", name="Referrals", exact=True)).to_be_visible()
    page.get_by_role("link", name="API").first.click()
    page.get_by_role("link", name="Start empty").click()
    return page


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_setting_up_the_api_connection(visitor: Visitor, account: Account, crm: CRM) -> None:
    page = go_to_the_empty_form(visitor)

    # Give your connection a name.
    page.get_by_label("Name:").first.fill("Newsletter")
    page.get_by_label("API documentation:").fill("https://docs.example/subscribers")

    # Enter the endpoint for your connection.
    tab(page, "Endpoint")
    page.get_by_label("Production:").fill(f"{crm.url}/3.0/lists/production/members")
    page.get_by_label("Testing:").fill(f"{crm.url}/3.0/lists/testing/members")

    # Enter all the required information under Authorization, Headers, and Body.
    tab(page, "Authorization")
    page.get_by_label("Authorization:").select_option("basic")
    page.get_by_label("User name:").fill("referrals")
    page.get_by_label("Password:").fill(crm.key)
    tab(page, "Headers")
    page.get_by_label("Name 1").fill("Accept")
    page.get_by_label("Value 1").fill("application/json")
    tab(page, "Body")
    body = page.get_by_label("Body:", exact=True)
    body.fill(BODY)
    body.evaluate("(field, at) => field.setSelectionRange(at, at)", BODY.index('"", ') + 1)
    page.get_by_role("button", name="email", exact=True).click()
    page.get_by_label("Email address email", exact=True).check()

    # Enter all your Response handling rules.
    tab(page, "Response handling")
    add_rule(page, 1, status="400", path="title", value="Member Exists", outcome="duplicate")
    add_rule(page, 2, status="200", outcome="delivered")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("listitem").filter(has_text="was added successfully")).to_be_visible()
    connection = Connection.objects.get()
    assert (connection.account, connection.name) == (account, "Newsletter")
    assert connection.spec("testing").endpoints["testing"].endswith("/testing/members")
    assert connection.headers == {"Accept": "application/json"}
    assert connection.document == '{"email_address": "{{ email }}", "status": "subscribed"}'
    assert connection.required_attributes == ["email"]
    assert connection.secrets == {"password": crm.key}
    assert [str(rule) for rule in connection.response_rules.all()] == [
        "status 400 and json title equals Member Exists → duplicate",
        "status 200 → delivered",
    ]


def add_rule(
    page: Page, number: int, *, status: str, outcome: str, path: str = "", value: str = ""
) -> None:
    page.get_by_role("button", name="Add rule").click()
    rule = page.locator(".rule-row").nth(number - 1)
    rule.get_by_label("Status:").fill(status)
    if path:
        rule.get_by_label("Where:").select_option("json")
        rule.get_by_label("Path:").fill(path)
        rule.get_by_label("Operator:").select_option("equals")
        rule.get_by_label("Value:").fill(value)
    rule.get_by_label("Outcome:").select_option(outcome)


def test_the_preview_and_the_requirements_follow_what_is_typed(
    visitor: Visitor, account: Account
) -> None:
    page = go_to_the_empty_form(visitor)
    side = page.get_by_label("Preview and requirements")
    expect(side.get_by_text("6 of 8 missing")).to_be_visible()
    tab(page, "Endpoint")
    page.get_by_label("Production:").fill("https://crm.example/people/{{ emial }}")
    expect(side.get_by_text('Did you mean "email"?')).to_be_visible()
    page.get_by_label("Production:").fill("https://crm.example/people/{{ email }}")
    expect(side.get_by_text("POST /people/john.smith%40example.com HTTP/1.1")).to_be_visible()
    expect(side.get_by_text("5 of 8 missing")).to_be_visible()
    assert not Connection.objects.exists()
