"""Pictures of the main pages for the README, light and dark: `make screenshots` makes them anew.

Not collected with the tests, as it writes into the working tree; it shares their live server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from connections.simulator import CRM
from tests.browser.connection_page import go_to, open_tab, press_test
from tests.browser.screenshot_data import ScreenshotData, seed

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 900}
CRM_PORT = 9000
"""As under `make run`: the pictures show the simulator's address."""


@pytest.fixture
def showroom(transactional_db: None) -> Iterator[ScreenshotData]:
    crm = _simulator()
    yield seed(crm)
    crm.stop()


def _simulator() -> CRM:
    try:
        return CRM(port=CRM_PORT).start()
    except OSError:  # Somebody has `make run` running.
        return CRM().start()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_the_main_pages(
    open_page: Callable[..., Page], showroom: ScreenshotData, worker: None, scheme: str
) -> None:
    page = open_page(showroom.person, viewport=SIZE, color_scheme=scheme)
    for name, show in PICTURES.items():
        show(page, showroom)
        page.screenshot(path=FOLDER / f"{name}-{scheme}.png", animations="disabled", caret="hide")


def dashboard(page: Page, showroom: ScreenshotData) -> None:
    page.goto("/admin/")


def add_connection(page: Page, showroom: ScreenshotData) -> None:
    page.goto("/admin/connections/connection/add/api/")


def connection(page: Page, showroom: ScreenshotData) -> None:
    go_to(page, showroom.connection)
    open_tab(page, "Response handling")


def body(page: Page, showroom: ScreenshotData) -> None:
    go_to(page, showroom.connection)
    open_tab(page, "Body")


def result(page: Page, showroom: ScreenshotData) -> None:
    go_to(page, showroom.connection)
    press_test(page)
    page.evaluate("scrollTo(0, 0)")


def linking(page: Page, showroom: ScreenshotData) -> None:
    page.goto(f"/admin/real-time-referral/?connection={showroom.connection.pk}&unlinked=1")
    expect(page.get_by_role("region", name="Unlinked campaigns")).to_be_visible()


def log(page: Page, showroom: ScreenshotData) -> None:
    page.goto("/admin/referrals/delivery/")


def delivery(page: Page, showroom: ScreenshotData) -> None:
    page.goto(f"/admin/referrals/delivery/{showroom.odd.pk}/change/")


PICTURES: dict[str, Callable[[Page, ScreenshotData], None]] = {
    "dashboard": dashboard,
    "add-connection": add_connection,
    "connection": connection,
    "body": body,
    "test": result,
    "real-time-referral": linking,
    "log": log,
    "delivery": delivery,
}
