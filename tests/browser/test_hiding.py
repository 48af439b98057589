"""Pages for people without the permission to see customer data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page

from connections.core.masking import MASK
from tests.factories import PERSONAL, AccountRows, make_account_rows
from tests.users import create_user

DELIVERY_ACTIONS = {
    "Replay",
    "Re-read",
    "Cancel",
    "Link",
    "Unlink",
    "Pause",
    "Release",
    "Test",
    "Save",
}

MIN_PAGES = 50

MAX_PARAMETERS = 1
"""Filters of a list lead to each other without end; one at a time is enough."""


@pytest.fixture
def world(transactional_db: None) -> AccountRows:
    return make_account_rows("OWN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a browser shows of one address."""

    address: str
    content: str
    buttons: set[str]
    links: list[str]


_LOOK = """
() => ({
  content: document.documentElement.outerHTML.toLowerCase(),
  buttons: [...document.querySelectorAll("button, input[type=submit]")].map(
    one => one.innerText.trim() || one.value),
  links: [...document.querySelectorAll("a[href]")].map(one => one.href),
})
"""


def follow_links(page: Page, start: str) -> Iterator[Seen]:
    """Open one page of the admin after the other; of those that differ by a value, one."""
    queue, known = [start], {_kind(start)}
    for address in queue:  # It grows while links are found.
        page.goto(address, wait_until="domcontentloaded")
        found = page.evaluate(_LOOK)
        yield Seen(address=address, **{**found, "buttons": set(found["buttons"])})
        for link in found["links"]:
            path = urlsplit(link)._replace(scheme="", netloc="", fragment="").geturl()
            is_new = path.startswith("/admin/") and _kind(path) not in known
            if is_new and len(_kind(path)[1]) <= MAX_PARAMETERS:
                known.add(_kind(path))
                queue.append(path)


def _kind(address: str) -> tuple[str, tuple[str, ...]]:
    parts = urlsplit(address)
    return parts.path, tuple(sorted(name for name, _ in parse_qsl(parts.query)))


def test_a_reporter_sees_no_customer_and_no_button_wherever_a_link_leads(
    open_page: Callable[..., Page], world: AccountRows
) -> None:
    page = open_page(create_user("Rob", world.account, role="Reporter"))
    opened, masked, wrong = 0, 0, []
    for seen in follow_links(page, "/admin/"):
        opened, masked = opened + 1, masked + (MASK in seen.content)
        wrong += [f"{seen.address}: {one}" for one in PERSONAL if one in seen.content]
        wrong += [f"{seen.address}: button {one}" for one in seen.buttons & DELIVERY_ACTIONS]
    assert wrong == []
    assert opened >= MIN_PAGES
    assert masked >= 3
