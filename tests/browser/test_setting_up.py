"""“Setting up the API connection”, step by step, as documented in the seed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from connections.mapping.to_spec import build_spec
from connections.models import Account, Connection
from connections.simulator import CRM
from tests.browser.connection_page import add_rule, go_to, go_to_sources, open_tab, save

BODY = '{"email_address": "", "status": "subscribed"}'


def test_a_connection_is_set_up_by_the_documented_steps(
    editors_page: Page, account: Account, crm: CRM
) -> None:
    page = editors_page
    # 1. to 4. Connections in the left menu, Add connection, API under Referrals.
    go_to_sources(page)
    page.get_by_role("link", name="Start empty").click()

    # 5. Give your connection a name.
    page.get_by_label("Name:").first.fill("Newsletter")

    # 6. Enter the endpoint for your connection.
    endpoint = open_tab(page, "Endpoint")
    endpoint.get_by_label("Production:").fill(f"{crm.url}/3.0/lists/production/members")
    endpoint.get_by_label("Testing:").fill(f"{crm.url}/3.0/lists/testing/members")

    # 7. Enter all the required information under Authorization, Headers, and Body.
    authorization = open_tab(page, "Authorization")
    authorization.get_by_label("Authorization:").select_option("basic")
    authorization.get_by_label("User name:").fill("referrals")
    authorization.get_by_label("Password:").fill(crm.key)
    headers = open_tab(page, "Headers")
    headers.get_by_label("Name 1").fill("Accept")
    headers.get_by_label("Value 1").first.fill("application/json")
    body = open_tab(page, "Body")
    document = body.get_by_label("Body:", exact=True)
    document.fill(BODY)
    document.evaluate("(field, at) => field.setSelectionRange(at, at)", BODY.index('""') + 1)
    body.get_by_role("button", name="email", exact=True).click()
    body.get_by_role("checkbox", name="Email address email", exact=True).check()

    # 8. Enter all your Response handling rules.
    open_tab(page, "Response handling")
    add_rule(page, 1, status="400", path="title", value="Member Exists", outcome="duplicate")
    add_rule(page, 2, status="200", outcome="delivered")
    save(page)

    connection = Connection.objects.get()
    assert (connection.account, connection.name) == (account, "Newsletter")
    assert set(build_spec(connection).endpoints) == {"production", "testing"}
    assert connection.headers == {"Accept": "application/json"}
    assert connection.document == '{"email_address": "{{ email }}", "status": "subscribed"}'
    assert connection.required_attributes == ["email"]
    assert connection.secrets == {"password": crm.key}
    assert [str(rule) for rule in connection.response_rules.all()] == [
        "status 400 and json title equals Member Exists → duplicate",
        "status 200 → delivered",
    ]


def test_preview_and_requirements_follow_what_is_typed(
    editors_page: Page, account: Account
) -> None:
    page = editors_page
    go_to_sources(page)
    page.get_by_role("link", name="Start empty").click()
    side = page.get_by_label("Preview and requirements")
    expect(side.get_by_text("6 of 8 missing")).to_be_visible()
    endpoint = open_tab(page, "Endpoint").get_by_label("Production:")
    endpoint.fill("https://crm.example/people/{{ emial }}")
    expect(side.get_by_text('Did you mean "email"?')).to_be_visible()
    endpoint.fill("https://crm.example/people/{{ email }}")
    request = side.locator("pre").first
    expect(request).to_contain_text("POST /people/john.smith%40example.com HTTP/1.1")
    expect(side.get_by_text("5 of 8 missing")).to_be_visible()
    assert not Connection.objects.exists()


def test_expected_responses_are_classified_while_a_rule_is_changed(
    editors_page: Page, connection: Connection
) -> None:
    connection.expected_responses.create(
        name="Twice", status=400, body='{"title": "Member Exists"}', outcome="duplicate"
    )
    page = editors_page
    go_to(page, connection)
    open_tab(page, "Response handling")
    verdict = page.locator(".expected-row").first
    expect(verdict).to_contain_text("≡ Duplicate ✓ as expected")
    page.locator(".rule-row").first.get_by_label("Value:").fill("Something else")
    expect(verdict).to_contain_text("expected duplicate, read as ✕ Rejected")


def test_rules_are_moved_by_button_and_by_dragging(
    editors_page: Page, connection: Connection
) -> None:
    page = editors_page
    go_to(page, connection)
    open_tab(page, "Response handling")
    rules = page.locator(".rule-row")
    rules.nth(1).get_by_role("button", name="Move this rule up").press("Enter")
    expect(rules.nth(0).get_by_label("Status:")).to_have_value("200")
    save(page)
    assert [rule.status for rule in connection.response_rules.all()] == ["200", "400"]
    open_tab(page, "Response handling")
    rules.nth(1).locator("[data-drag]").drag_to(rules.nth(0), target_position={"x": 9, "y": 2})
    save(page)
    assert [rule.status for rule in connection.response_rules.all()] == ["400", "200"]


_CLIPPED_CHOICES = """
select => {
  const style = getComputedStyle(select);
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = style.font;
  const widest = Math.max(...[...select.options].map(one => pen.measureText(one.text).width));
  const arrow = 20;
  const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return widest + arrow > room ? [`${select.name}: ${widest} in ${room}`] : [];
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_choice_of_a_rule_is_readable(
    open_page: Callable[..., Page], editor: User, connection: Connection, width: int, scheme: str
) -> None:
    page = open_page(editor, viewport={"width": width, "height": 900}, color_scheme=scheme)
    go_to(page, connection)
    open_tab(page, "Response handling")
    clipped = [
        sentence
        for select in page.locator(".rule-row select").all()
        for sentence in select.evaluate(_CLIPPED_CHOICES)
    ]
    assert clipped == []
    values = page.locator(".rule-row textarea").all()
    assert all(one.evaluate("one => one.scrollHeight <= one.clientHeight") for one in values)


def test_a_rule_is_removed(editors_page: Page, connection: Connection) -> None:
    page = editors_page
    go_to(page, connection)
    open_tab(page, "Response handling")
    page.locator(".rule-row").first.get_by_role("button", name="Remove this rule").press("Enter")
    expect(page.get_by_role("button", name="Add rule")).to_be_focused()
    save(page)
    assert [rule.outcome for rule in connection.response_rules.all()] == ["delivered"]


def test_a_tab_with_an_error_is_marked_and_opened(
    editors_page: Page, connection: Connection
) -> None:
    page = editors_page
    go_to(page, connection)
    open_tab(page, "Body").get_by_label("Body:", exact=True).fill('{"a": "{{ emial }}"}')
    open_tab(page, "General")
    page.get_by_role("button", name="Save", exact=True).click()
    body = page.get_by_role("tab", name="Body 1 problem")
    expect(body).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name="Body")).to_contain_text('Did you mean "email"?')
    open_tab(page, "Settings")
    page.get_by_label("Preview and requirements").get_by_role("link", name="Body").first.click()
    expect(page.get_by_label("Body:", exact=True)).to_be_focused()


def test_tabs_work_by_keyboard(editors_page: Page, connection: Connection) -> None:
    page = editors_page
    go_to(page, connection)
    page.get_by_role("tab", name="General").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Endpoint")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Method:")).to_be_focused()
    page.get_by_role("tab", name="Endpoint").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("tabpanel", name="Settings")).to_be_visible()
    page.keyboard.press("Home")
    expect(page.get_by_role("tabpanel", name="General")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Settings")).to_be_focused()


def test_the_form_works_without_javascript(
    open_page: Callable[..., Page], editor: User, connection: Connection
) -> None:
    page = open_page(editor, java_script_enabled=False)
    go_to(page, connection)
    for name in ("General", "Endpoint", "Authorization", "Headers", "Body", "Settings"):
        expect(page.get_by_role("heading", name=name, exact=True).first).to_be_visible()
    page.get_by_label("Name 1").first.fill("X-Note")
    page.get_by_label("Value 1").first.fill("by hand")
    rule = page.locator(".rule-row").nth(2)
    rule.get_by_label("Status:").fill("422")
    rule.get_by_label("Outcome:").select_option("rejected")
    save(page)
    assert Connection.objects.get().headers == {"X-Note": "by hand"}
    assert connection.response_rules.last().status == "422"  # type: ignore[union-attr]
    expect(page.locator("pre.code").first).to_contain_text("X-Note: by hand")
