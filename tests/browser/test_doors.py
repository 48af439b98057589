"""From a preset and from a pasted command to a connection that is tested."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from connections.models import Account, Connection
from tests.browser.connection_page import go_to, go_to_the_doors, open_tab, press_test
from tests.crm import CRM

COMMAND = """curl -X POST \\
  '{crm}/3.0/lists/testing/members' \\
  --user 'anystring:{key}' \\
  -H 'content-type: application/json' \\
  -d '{{"email_address": "urist@example.com", "status": "subscribed",
       "merge_fields": {{"FNAME": "Urist", "LNAME": "McVankab"}}}}'"""


@pytest.mark.usefixtures("worker")
def test_from_a_preset_to_a_tested_connection(
    editors_page: Page, account: Account, crm: CRM
) -> None:
    page = editors_page
    go_to_the_doors(page)
    page.get_by_label("Search presets").fill("mailchimp")
    presets = page.get_by_role("region", name="From a preset")
    expect(presets.get_by_role("listitem")).to_have_count(2)
    presets.get_by_role("link", name="Mailchimp Add list member").click()
    page.get_by_label("Name:", exact=True).fill("Newsletter")
    page.get_by_label("Testing:").fill(f"{crm.url}/3.0/lists/testing/members")
    page.get_by_label("Password:").fill(crm.key)
    page.get_by_role("button", name="Create connection").click()
    expect(page.get_by_text("1 of 8 missing")).to_be_visible()
    press_test(page)
    expect(page.get_by_label("Result")).to_contain_text("As expected.")
    assert Connection.objects.tested().get().expected_responses.count() == 12


@pytest.mark.usefixtures("worker")
def test_from_a_pasted_command_to_a_tested_connection(
    editors_page: Page, account: Account, crm: CRM
) -> None:
    page = editors_page
    go_to_the_doors(page)
    page.get_by_label("Command:").fill(COMMAND.format(crm=crm.url, key=crm.key))
    page.get_by_role("button", name="Read the command").click()
    expect(page.get_by_text("User name anystring and password.")).to_be_visible()
    expect(page.get_by_label("email_address")).to_have_value("{{ email }}")
    expect(page.get_by_label("status", exact=True)).to_have_value("")
    page.get_by_label("merge_fields.LNAME").select_option("keep McVankab")
    page.get_by_label("Name:", exact=True).fill("From curl")
    page.get_by_label("Environment:").select_option("Testing")
    page.get_by_role("button", name="Create connection").click()
    document = open_tab(page, "Body").get_by_label("Body:", exact=True)
    expect(document).to_have_value(
        '{\n  "email_address": "{{ email }}",\n  "status": "subscribed",\n  "merge_fields": {\n'
        '    "FNAME": "{{ first_name }}",\n    "LNAME": "McVankab"\n  }\n}'
    )
    press_test(page)
    expect(page.get_by_label("Result")).to_contain_text("As expected.")
    assert [one.email for one in crm.received()] == ["urist@example.com"]


def test_what_is_not_understood_is_told_beside_the_command(
    editors_page: Page, account: Account
) -> None:
    page = editors_page
    go_to_the_doors(page)
    page.get_by_label("Command:").fill("curl 'https://crm.example")
    page.get_by_role("button", name="Read the command").click()
    expect(page.get_by_text("that opens in line 1 is never closed")).to_be_visible()
    expect(page.get_by_label("Command:")).to_have_value("curl 'https://crm.example")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_in_light_and_dark(
    open_page: Callable[..., Page], editor: User, connection: Connection, scheme: str
) -> None:
    page = open_page(editor, viewport={"width": 390, "height": 800}, color_scheme=scheme)
    widths = {}
    for address in ("", "add/", "add/api/", "add/api/preset/mailchimp_add_member/", "add/?empty=1"):
        page.goto(f"/admin/connections/connection/{address}")
        widths[address] = page.locator("html").evaluate("html => html.scrollWidth")
    page.goto("/admin/connections/connection/add/api/")
    page.get_by_label("Command:").fill(COMMAND.format(crm="https://crm.example", key="k"))
    page.get_by_role("button", name="Read the command").click()
    widths["review"] = page.locator("html").evaluate("html => html.scrollWidth")
    go_to(page, connection)
    for tab in ("Endpoint", "Authorization", "Body", "Response handling", "Settings"):
        open_tab(page, tab)
        widths[tab] = page.locator("html").evaluate("html => html.scrollWidth")
    assert {name: width for name, width in widths.items() if width > 390} == {}
