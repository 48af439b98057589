"""Whoever may not see customers' data sees no customer, wherever a link leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page

from connections.http.masking import MASK
from tests.people import make_person
from tests.world import PERSONAL, World, make_world

DEEDS = ("Replay", "Re-read", "Cancel", "Link", "Unlink", "Pause", "Release", "Test", "Save")

FEWEST_PAGES = 25


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world("OWN")


def follow_links(page: Page, start: str) -> Iterator[str]:
    """Open one page of the admin after the other; of those that differ by a value, one."""
    queue, known = [start], {_kind(start)}
    for address in queue:  # It grows while links are found.
        page.goto(address)
        yield address
        links = page.locator("a[href]").evaluate_all("links => links.map(one => one.href)")
        for link in links:
            path = urlsplit(link)._replace(scheme="", netloc="", fragment="").geturl()
            if path.startswith("/admin/") and _kind(path) not in known:
                known.add(_kind(path))
                queue.append(path)


def _kind(address: str) -> tuple[str, tuple[str, ...]]:
    parts = urlsplit(address)
    return parts.path, tuple(sorted(name for name, _ in parse_qsl(parts.query)))


def test_a_reporter_sees_no_customer_and_no_button_wherever_a_link_leads(
    open_page: Callable[..., Page], world: World
) -> None:
    page = open_page(make_person("Rob", world.account, role="Reporter"))
    opened, masked, seen = 0, 0, []
    for address in follow_links(page, "/admin/"):
        content = page.content().lower()
        opened, masked = opened + 1, masked + (MASK in content)
        seen += [f"{address}: {personal}" for personal in PERSONAL if personal in content]
        buttons = {one.strip() for one in page.get_by_role("button").all_inner_texts()}
        seen += [f"{address}: the button {name}" for name in buttons.intersection(DEEDS)]
    assert seen == []
    assert opened >= FEWEST_PAGES
    assert masked >= 3
