"""“Save and test” with real processes: the worker tests the saved connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.connections.pages.helpers import read_form
from tests.stack import Stack
from tests.timing import WAIT_SECONDS

TESTED = "outcome-tested"
UNTESTED = "outcome-untested"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield an installation with web and a worker."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        stack.manage("collectstatic", "--no-input", "--verbosity", "0")
        stack.start_web()
        stack.start("worker")
        yield stack


class Browser:
    """A session that is logged in to the admin."""

    def __init__(self, stack: Stack, session: requests.Session) -> None:
        self._stack, self._session = stack, session
        self._site = f"http://127.0.0.1:{stack.port}"
        login = self.open("/admin/login/")
        form = read_form(login, "login-form")
        form |= {"username": [stack.demo["login"]], "password": [stack.demo["password"]]}
        assert self._send("/admin/login/", form) != ""

    def open(self, path: str) -> str:
        """Return the page at a path."""
        response = self._session.get(f"{self._site}{path}", timeout=WAIT_SECONDS)
        assert response.status_code == 200
        return response.text

    def save_and_test(self, path: str, changes: dict[str, str]) -> str:
        """Submit the changed form with “Save and test”, wait, and return the page of the result."""
        form = read_form(self.open(path)) | {name: [text] for name, text in changes.items()}
        wait_url = self._send(path, form | {"_test": ["Save and test"]})
        state: dict[str, str] = {}

        def is_finished() -> bool:
            state.update(self._state(wait_url))
            return "url" in state or state["state"] in ("failed", "gone")

        self._stack.wait_until(is_finished)
        assert "url" in state, state
        return self.open(state["url"])

    def _send(self, path: str, form: dict[str, list[str]]) -> str:
        """Post a form; return the URL of the redirect."""
        response = self._session.post(
            f"{self._site}{path}", data=form, allow_redirects=False, timeout=WAIT_SECONDS
        )
        assert response.status_code == 302, response.text
        return response.headers["Location"]

    def _state(self, wait_url: str) -> dict[str, str]:
        response = self._session.get(
            f"{self._site}{wait_url}", headers={"Accept": "application/json"}, timeout=WAIT_SECONDS
        )
        return dict(response.json())


@pytest.fixture
def browser(stack: Stack) -> Iterator[Browser]:
    with requests.Session() as session:
        yield Browser(stack, session)


def test_a_wrong_key_is_found_by_its_own_test(stack: Stack, browser: Browser) -> None:
    [(pk,)] = stack.query("SELECT id FROM connections_connection WHERE name = 'Demo CRM (JSON)'")
    page = f"/admin/connections/connection/{pk}/change/"
    assert "As expected." in browser.save_and_test(page, {"reason_path": "title"})
    assert TESTED in browser.open(page)

    for key in ("wrong", "wrong again"):
        result = browser.save_and_test(page, {"basic__password": key})

        assert "Not as expected." in result
        assert "API Key Invalid" in result
        content = browser.open(page)
        assert (TESTED in content, UNTESTED in content) == (False, True)

    browser.save_and_test(page, {"basic__password": stack.crm.key})
    assert TESTED in browser.open(page)


def test_a_new_connection_is_saved_and_tested(stack: Stack, browser: Browser) -> None:
    result = browser.save_and_test(
        "/admin/connections/connection/add/?empty=1",
        {
            "name": "New",
            "endpoints-2-url": f"{stack.crm.url}/3.0/lists/new/members",
            "authorization_kind": "bearer",
            "bearer__token": stack.crm.key,
            "document": '{"email_address": "{{ email }}", "status": "subscribed"}',
            "response_rules-0-status": "200",
            "response_rules-0-outcome": "delivered",
        },
    )

    assert "As expected." in result
    [(pk,)] = stack.query("SELECT id FROM connections_connection WHERE name = 'New'")
    assert TESTED in browser.open(f"/admin/connections/connection/{pk}/change/")
