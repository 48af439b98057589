"""“Testing your API connection”, step by step, as documented in the seed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from connections.models import Connection, ConnectionTest
from connections.simulator import CRM
from tests.browser.connection_page import go_to, open_tab, press_test, save


def fill_sample_email(page: Page, email: str) -> None:
    open_tab(page, "Settings").get_by_label("Email address", exact=True).fill(email)


@pytest.mark.usefixtures("worker")
def test_a_connection_is_tested_by_the_documented_steps(
    editors_page: Page, connection: Connection, crm: CRM
) -> None:
    page = editors_page
    go_to(page, connection)
    expect(page.get_by_text("△ Untested")).to_be_visible()

    # 1. and 2. Click Settings, and edit the testing settings according to your test criteria.
    settings = open_tab(page, "Settings")
    settings.get_by_label("Send tests to:").select_option("Testing")
    settings.get_by_label("Expected outcome:").select_option("Duplicate")
    fill_sample_email(page, "jo@example.com")
    # 3. Click Save.
    save(page)
    # 4. Click Test.
    press_test(page)
    # 5. Check your test result.
    result = page.get_by_label("Result")
    expect(result).to_contain_text("Not as expected.")
    expect(result).to_contain_text("✓ Delivered")
    expect(page.get_by_label("Response", exact=True)).to_contain_text("HTTP 200")

    # 6. Repeat tests until you've achieved your desired outcome.
    page.get_by_role("link", name="Back to the connection").click()
    fill_sample_email(page, "exists@example.com")
    save(page)
    press_test(page)
    expect(result).to_contain_text("As expected.")
    expect(result).to_contain_text("status 400 and json title equals Member Exists → duplicate")
    expect(page.get_by_role("row").filter(has_text="Duplicate")).to_contain_text("Eda")
    page.get_by_role("link", name="Back to the connection").click()
    expect(page.get_by_text("✓ Tested")).to_be_visible()
    assert [one.email for one in crm.received()] == ["jo@example.com", "exists@example.com"]


def test_a_test_is_sent_from_the_web_process_without_a_worker(
    editors_page: Page, connection: Connection, crm: CRM
) -> None:
    page = editors_page
    go_to(page, connection)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("No worker answers.")).to_be_visible()
    page.get_by_role("button", name="Send from the web process instead").click()
    expect(page.get_by_label("Result")).to_contain_text("As expected.")
    assert len(crm.received()) == 1


@pytest.mark.usefixtures("worker")
def test_a_test_needs_no_javascript(
    open_page: Callable[..., Page], editor: User, connection: Connection
) -> None:
    page = open_page(editor, java_script_enabled=False)
    go_to(page, connection)
    press_test(page)
    expect(page.get_by_label("Result")).to_contain_text("As expected.")


@pytest.mark.usefixtures("worker")
def test_a_rule_is_created_from_a_response_by_one_click(
    editors_page: Page, connection: Connection
) -> None:
    connection.response_rules.all().delete()
    connection.sample_attributes = {"email": "exists@example.com"}
    connection.save()
    page = editors_page
    go_to(page, connection)
    press_test(page)
    expect(page.get_by_label("Result")).to_contain_text("✕ Rejected")
    rule = page.get_by_role("region", name="Make a rule of this answer")
    expect(rule.get_by_label("title equals “Member Exists”")).to_be_checked()
    expect(rule.get_by_label("It means:")).to_have_value("duplicate")
    rule.get_by_role("button", name="Make rule").click()
    expect(page.get_by_text("Rule 1 is made")).to_be_visible()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("is an expected response now: duplicate.")).to_be_visible()
    page.get_by_role("button", name="Test again").click()
    expect(page.get_by_label("Result")).to_contain_text("As expected.")
    assert str(connection.response_rules.get()) == (
        "status 400 and json title equals Member Exists → duplicate"
    )
    assert [one.outcome for one in ConnectionTest.objects.all()] == ["duplicate", "rejected"]


def test_the_request_is_shown_as_a_curl_command(editors_page: Page, connection: Connection) -> None:
    page = editors_page
    go_to(page, connection)
    page.get_by_text("As a curl command").click()
    side = page.get_by_label("Preview and requirements")
    expect(side.locator("pre").nth(2)).to_contain_text("curl --request POST http://127.0.0.1")
