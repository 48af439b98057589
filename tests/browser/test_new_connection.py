"""The pages for a new connection: pasted commands, errors, and small screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from connections.models import Account, Connection
from tests.browser.connection_page import go_to, go_to_sources, open_tab

COMMAND = """curl -X POST \\
  '{crm}/3.0/lists/testing/members' \\
  --user 'anystring:{key}' \\
  -H 'content-type: application/json' \\
  -d '{{"email_address": "urist@example.com", "status": "subscribed",
       "merge_fields": {{"FNAME": "Urist", "LNAME": "McVankab"}}}}'"""


def test_an_error_in_the_command_is_shown_beside_it(editors_page: Page, account: Account) -> None:
    page = editors_page
    go_to_sources(page)
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
    page.get_by_label("Command:").fill(COMMAND)
    page.get_by_role("button", name="Read the command").click()
    widths["review"] = page.locator("html").evaluate("html => html.scrollWidth")
    go_to(page, connection)
    for tab in ("Endpoint", "Authorization", "Body", "Response handling", "Settings"):
        open_tab(page, tab)
        widths[tab] = page.locator("html").evaluate("html => html.scrollWidth")
    assert {name: width for name, width in widths.items() if width > 390} == {}
