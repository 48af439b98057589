"""Chromium for tests of the pages; whatever it reports as an error fails the test.

Where there is no Chromium, these tests are skipped, except where CI promises that they run.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections as databases
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from config.queue import job_queue
from config.queue.redis import redis_connection
from connections.models import Account
from tests.timing import scaled
from tests.users import create_user

# Playwright's loop runs in the thread of the tests, where Django would refuse its own queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
_TIMEOUT_MILLISECONDS = scaled(10_000)
_POLL_SECONDS = 0.02

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  window.complain(`${event.violatedDirective} refused ${event.blockedURI} ${event.sample}`);
});
"""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing, and CI never skips these tests.")
        pytest.skip("There is no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=_TIMEOUT_MILLISECONDS)
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(
    chromium: Browser, live_server: LiveServer, unmanifested_static: None
) -> Iterator[Callable[..., Page]]:
    """Open browsers: `open_page(user)` is a page where the user is logged in, `None` nobody.

    Options go to the browser, such as java_script_enabled or color_scheme.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(user: User | None, **options: Any) -> Page:
        context = chromium.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        context.set_default_timeout(_TIMEOUT_MILLISECONDS)
        page = context.new_page()
        if options.get("java_script_enabled", True):
            context.expose_function("complain", lambda text: _complain(complaints, text))
            context.add_init_script(_REPORT_VIOLATIONS)
        page.on("pageerror", lambda error: _complain(complaints, str(error)))
        page.on("console", lambda said: _listen(complaints, said))
        if user is not None:
            context.add_cookies([_session_cookie(user, live_server.url)])
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(open_page: Callable[..., Page], admin_user: User) -> Page:
    """A page where the administrator is logged in."""
    return open_page(admin_user)


@pytest.fixture
def editor(transactional_db: None, account: Account) -> User:
    """A user with the role Editor."""
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def editors_page(open_page: Callable[..., Page], editor: User) -> Page:
    """A page where the editor is logged in."""
    return open_page(editor)


@pytest.fixture
def worker(live_server: LiveServer) -> Iterator[None]:
    """A worker of the queue in a thread, for as long as the test takes."""
    stop = threading.Event()
    thread = threading.Thread(target=_work_until, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


class _ThreadWorker(SimpleWorker):  # type: ignore[misc]
    """A worker without signal handlers, which belong to the main thread."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        return


def _work_until(stop: threading.Event) -> None:
    while not stop.wait(_POLL_SECONDS):
        if job_queue.waiting_count():
            connection = redis_connection()
            _ThreadWorker([job_queue.QUEUE], connection=connection, serializer=JSONSerializer).work(
                burst=True, logging_level="WARNING"
            )
    databases.close_all()


def _complain(complaints: list[str], text: str) -> None:
    complaints.append(text)


def _listen(complaints: list[str], said: Any) -> None:
    if said.type == "error":
        complaints.append(f"{said.text} at {said.location.get('url')}")


def _session_cookie(user: User, url: str) -> Any:
    """Return the cookie of a logged-in user."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"name": settings.SESSION_COOKIE_NAME, "value": str(session.session_key), "url": url}
