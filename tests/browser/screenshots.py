"""Screenshots of the main pages for the README, light and dark, taken by `make screenshots`.

pytest does not collect this file by default, since it writes into the working tree.
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
"""The port of `make run`, since the screenshots show the simulator's address."""


@pytest.fixture
def data(transactional_db: None) -> Iterator[ScreenshotData]:
    crm = _simulator()
    yield seed(crm)
    crm.stop()


def _simulator() -> CRM:
    try:
        return CRM(port=CRM_PORT).start()
    except OSError:  # The port is in use, perhaps by `make run`.
        return CRM().start()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots_of_the_main_pages_are_taken(
    open_page: Callable[..., Page], data: ScreenshotData, worker: None, scheme: str
) -> None:
    page = open_page(data.user, viewport=SIZE, color_scheme=scheme)
    for name, show in PICTURES.items():
        show(page, data)
        page.screenshot(path=FOLDER / f"{name}-{scheme}.png", animations="disabled", caret="hide")


def dashboard(page: Page, data: ScreenshotData) -> None:
    page.goto("/admin/")


def add_connection(page: Page, data: ScreenshotData) -> None:
    page.goto("/admin/connections/connection/add/api/")


def connection(page: Page, data: ScreenshotData) -> None:
    go_to(page, data.connection)
    open_tab(page, "Response handling")


def body(page: Page, data: ScreenshotData) -> None:
    go_to(page, data.connection)
    open_tab(page, "Body")


def result(page: Page, data: ScreenshotData) -> None:
    go_to(page, data.connection)
    press_test(page)
    page.evaluate("scrollTo(0, 0)")


def linking(page: Page, data: ScreenshotData) -> None:
    page.goto(f"/admin/real-time-referral/?connection={data.connection.pk}&unlinked=1")
    expect(page.get_by_role("region", name="Unlinked campaigns")).to_be_visible()


def log(page: Page, data: ScreenshotData) -> None:
    page.goto("/admin/referrals/delivery/")


def delivery(page: Page, data: ScreenshotData) -> None:
    page.goto(f"/admin/referrals/delivery/{data.unrecognised.pk}/change/")


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
