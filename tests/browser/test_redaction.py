"""Pages for users without the permission to see customer data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page

from connections.core.masking import MASK
from tests.factories import PERSONAL_TEXTS, AccountRows, make_account_rows
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
"""Combinations of filters of a list are endless; one filter at a time is enough."""


@pytest.fixture
def rows(transactional_db: None) -> AccountRows:
    return make_account_rows("OWN")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitedPage:
    """The content of one page in the browser."""

    address: str
    content: str
    buttons: set[str]
    links: list[str]


_READ_PAGE = """
() => ({
  content: document.documentElement.outerHTML.toLowerCase(),
  buttons: [...document.querySelectorAll("button, input[type=submit]")].map(
    one => one.innerText.trim() || one.value),
  links: [...document.querySelectorAll("a[href]")].map(one => one.href),
})
"""


def follow_links(page: Page, start: str) -> Iterator[VisitedPage]:
    """Open all linked pages of the admin; of URLs that differ in a value of the query, one."""
    queue, known = [start], {_path_and_parameters(start)}
    for address in queue:  # The loop appends to it.
        page.goto(address, wait_until="domcontentloaded")
        content = page.evaluate(_READ_PAGE)
        yield VisitedPage(address=address, **{**content, "buttons": set(content["buttons"])})
        for link in content["links"]:
            path = urlsplit(link)._replace(scheme="", netloc="", fragment="").geturl()
            is_new = path.startswith("/admin/") and _path_and_parameters(path) not in known
            if is_new and len(_path_and_parameters(path)[1]) <= MAX_PARAMETERS:
                known.add(_path_and_parameters(path))
                queue.append(path)


def _path_and_parameters(address: str) -> tuple[str, tuple[str, ...]]:
    parts = urlsplit(address)
    return parts.path, tuple(sorted(name for name, _ in parse_qsl(parts.query)))


def test_a_reporter_sees_no_customer_data_and_no_button_on_any_linked_page(
    open_page: Callable[..., Page], rows: AccountRows
) -> None:
    page = open_page(create_user("Rob", rows.account, role="Reporter"))
    opened, masked, violations = 0, 0, []
    for visited in follow_links(page, "/admin/"):
        opened, masked = opened + 1, masked + (MASK in visited.content)
        violations += [
            f"{visited.address}: {text}" for text in PERSONAL_TEXTS if text in visited.content
        ]
        violations += [
            f"{visited.address}: button {name}" for name in visited.buttons & DELIVERY_ACTIONS
        ]
    assert violations == []
    assert opened >= MIN_PAGES
    assert masked >= 3
