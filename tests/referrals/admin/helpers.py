"""Helpers of the tests of the admin: read a page, run an action."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client

from referrals.models import Delivery

LOG = "/admin/referrals/delivery/"
PERSON = {"first_name": "Jolanda", "last_name": "Sommer", "mobile": "+17327572923"}


def page_url(delivery: Delivery, rest: str = "") -> str:
    return f"/admin/referrals/delivery/{delivery.pk}/{rest}"


def get_html(browser: Client, url: str) -> str:
    response = browser.get(url, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def text_content(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


def listed(browser: Client, query: str = "") -> list[str]:
    """Return the external ids that the log lists, from the first line to the last."""
    response: Any = browser.get(f"{LOG}{query}")
    assert response.status_code == 200
    return [row.referral.external_id for row in response.context["cl"].result_list]


def messages(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def run_action(browser: Client, delivery: Delivery, name: str) -> str:
    """Run the action on the delivery's page, and return the message that the user sees."""
    response: Any = browser.post(page_url(delivery, f"action/{name}/"))
    assert (response.status_code, response.headers["Location"]) == (
        302,
        page_url(delivery, "change/"),
    )
    return messages(response)[-1]


def run_bulk_action(
    browser: Client, action: str, *rows: Delivery, query: str = "", **fields: Any
) -> Any:
    chosen = [row.pk for row in rows] or "all"
    across = {} if rows else {"select_across": 1}
    content = {"action": action, "_selected_action": chosen, **across, **fields}
    return browser.post(f"{LOG}{query}", content)
