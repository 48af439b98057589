"""Fixtures for tests of the pages in Chromium; every error that it reports fails the test.

Without Chromium these tests are skipped, except in CI, where they fail.
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

# Playwright runs an event loop in the thread of the tests, in which Django refuses queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
_TIMEOUT_MILLISECONDS = scaled(10_000)
_POLL_SECONDS = 0.02

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  window.recordError(`${event.violatedDirective} refused ${event.blockedURI} ${event.sample}`);
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
    """Yield `open_page(user)`, which opens a page with the user logged in, or nobody for `None`.

    Its options are those of a browser context, such as java_script_enabled or color_scheme.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_one(user: User | None, **options: Any) -> Page:
        context = chromium.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        context.set_default_timeout(_TIMEOUT_MILLISECONDS)
        page = context.new_page()
        if options.get("java_script_enabled", True):
            context.expose_function("recordError", lambda text: _record(errors, text))
            context.add_init_script(_REPORT_VIOLATIONS)
        page.on("pageerror", lambda error: _record(errors, str(error)))
        page.on("console", lambda message: _record_console_error(errors, message))
        if user is not None:
            context.add_cookies([_create_session_cookie(user, live_server.url)])
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(open_page: Callable[..., Page], admin_user: User) -> Page:
    """Return a page with the administrator logged in."""
    return open_page(admin_user)


@pytest.fixture
def editor(transactional_db: None, account: Account) -> User:
    """Return a user with the role Editor."""
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def editors_page(open_page: Callable[..., Page], editor: User) -> Page:
    """Return a page with the editor logged in."""
    return open_page(editor)


@pytest.fixture
def worker(live_server: LiveServer) -> Iterator[None]:
    """Run a worker of the queue in a thread during the test."""
    stop = threading.Event()
    thread = threading.Thread(target=_work_until, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


class _ThreadWorker(SimpleWorker):  # type: ignore[misc]
    """A worker without signal handlers, which only the main thread may set."""

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


def _record(errors: list[str], text: str) -> None:
    errors.append(text)


def _record_console_error(errors: list[str], message: Any) -> None:
    if message.type == "error":
        errors.append(f"{message.text} at {message.location.get('url')}")


def _create_session_cookie(user: User, url: str) -> Any:
    """Create a session of the user; return its cookie."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"name": settings.SESSION_COOKIE_NAME, "value": str(session.session_key), "url": url}
