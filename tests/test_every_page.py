"""Tests of every page of the admin for every user: status, rows, queries, scripts and escaping."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html

from connections.admin.readonly import ReadOnly
from connections.models import Account
from connections.permissions import can_view_customer_data
from tests.factories import PERSON, PERSONAL_TEXTS, AccountRows, make_account_rows
from tests.page_crawler import (
    NAMES_WITHOUT_PAGE,
    Page,
    all_pages,
    csp_violations,
    unnamed_views,
    url_names,
)
from tests.users import create_user, login_client

MAX_QUERIES = 40

HOSTILE = (
    "<script>alert('HOSTILE')</script>\"'><img src=x onerror=alert(1)>{{ 7|add:7 }}{% now 'Y' %}"
    "</pre></textarea></title>\u202eTXET\u202c ${7*7} " + "long" * 300
)

pytestmark = pytest.mark.usefixtures("unmanifested_static")


@pytest.fixture
def own_rows(db: None) -> AccountRows:
    return make_account_rows("OWN")


@pytest.fixture
def foreign_rows(own_rows: AccountRows) -> AccountRows:
    return make_account_rows("FOREIGN")


@pytest.fixture
def users(own_rows: AccountRows, admin_user: User) -> dict[str, User | None]:
    """Return a user with each role; the stranger's account has no rows."""
    elsewhere = Account.objects.create(name="Elsewhere", slug="elsewhere")
    return {
        "superuser": admin_user,
        "editor": create_user("Eda", own_rows.account, role="Editor", sees_customers=True),
        "reporter": create_user("Rob", own_rows.account, role="Reporter"),
        "stranger": create_user("Stan", elsewhere, role="Editor", sees_customers=True),
        "anonymous": None,
    }


def expected_status(page: Page, user: User | None) -> int:
    """Return the status code that the user should get for the page."""
    if (page.name == "login") is (user is None):
        return 200 if user is None else _status_by_permission(page, user)
    return 302


def _status_by_permission(page: Page, user: User) -> int:
    if page.is_post_only:
        return 404 if page.name == "referrals_delivery_action" else 405
    if page.model and not _is_permitted(page, user):
        return 403
    if page.has_row and user.username == "Stan":
        return 404
    return 302 if page.name == "connections_connectiontest_change" else 200


def _is_permitted(page: Page, user: User) -> bool:
    """Whether the user's permissions open the page; no user adds or deletes rows of logs."""
    if page.kind == "raw":
        return can_view_customer_data(user)
    app, _, model = page.model.partition("_")
    model_admin = admin.site.get_model_admin(apps.get_model(app, model))
    if page.kind in ("add", "delete") and isinstance(model_admin, ReadOnly):
        return False
    permission = _PERMISSIONS.get(page.kind, page.kind)
    return user.has_perm(f"{app}.{permission}_{model}")


_PERMISSIONS = {"changelist": "view", "history": "view", "change": "view", "changing": "change"}
"""The permission that a page needs, where it differs from the kind of the page.

A user who may only view a row opens the page on which others change it.
"""


def test_every_url_of_the_admin_is_crawled(own_rows: AccountRows) -> None:
    assert {page.name for page in all_pages(own_rows)} == url_names() - NAMES_WITHOUT_PAGE


def test_every_url_of_the_product_has_a_name() -> None:
    assert {view.__module__.partition(".")[0] for view in unnamed_views()} == {"django"}


def test_the_number_of_queries_does_not_grow_with_the_rows(
    own_rows: AccountRows, admin_user: User
) -> None:
    browser = login_client(admin_user)
    before = count_queries(browser, own_rows)
    for number in range(6):
        make_account_rows(f"MORE{number}")
    after = count_queries(browser, own_rows)
    assert {url: (before[url], count) for url, count in after.items() if count > before[url]} == {}


def count_queries(browser: Client, rows: AccountRows) -> dict[str, int]:
    """Count the queries of each page at its second request, when the caches are filled."""
    counts = {}
    for page in all_pages(rows) * 2:
        with CaptureQueriesContext(database) as queries:
            browser.get(page.url)
        counts[page.url] = len(queries)
    return counts


@pytest.mark.parametrize("role", ["superuser", "editor", "reporter", "stranger", "anonymous"])
def test_every_page_opens_for_the_permitted_users(
    role: str, own_rows: AccountRows, foreign_rows: AccountRows, users: dict[str, User | None]
) -> None:
    browser, violations = login_client(users[role]), []
    for page in all_pages(own_rows):
        with CaptureQueriesContext(database) as queries:
            response: Any = browser.get(page.url)
        content = response.content.decode()
        if response.status_code != expected_status(page, users[role]):
            violations.append(f"{page.url}: {response.status_code}")
        violations += [f"{page.url}: {violation}" for violation in csp_violations(response)]
        if role != "superuser" and "FOREIGN" in content.replace("q=FOREIGN", "").replace(
            'value="FOREIGN"', ""
        ):
            violations.append(f"{page.url}: shows a foreign row")
        if role == "stranger" and "OWN " in content:
            violations.append(f"{page.url}: shows a row of another account")
        if len(queries) > MAX_QUERIES:
            violations.append(f"{page.url}: {len(queries)} queries")
    assert violations == []


@pytest.mark.parametrize("role", ["editor", "reporter"])
def test_a_row_of_another_account_is_not_found(
    role: str, own_rows: AccountRows, foreign_rows: AccountRows, users: dict[str, User | None]
) -> None:
    browser = login_client(users[role])
    row_pages = [
        page
        for page in all_pages(foreign_rows)
        if page.has_row and not page.model.startswith("auth")
    ]
    wrong_statuses = {}
    for page in row_pages:
        response = (browser.post if page.is_post_only else browser.get)(page.url)
        # A user without the permission gets 403, whichever account the row belongs to.
        if response.status_code not in (403, 404):
            wrong_statuses[page.url] = response.status_code
    assert wrong_statuses == {}


def test_text_from_outside_is_escaped(admin_user: User) -> None:
    rows = make_account_rows("OWN", HOSTILE)
    browser, violations, shown = login_client(admin_user), [], 0
    for page in all_pages(rows):
        response: Any = browser.get(page.url)
        if response.status_code != 200 or "html" not in response["Content-Type"]:
            continue
        violations += [f"{page.url}: {violation}" for violation in csp_violations(response)]
        tree: Any = html.fromstring(response.content.decode())
        if tree.xpath("//img[@src='x']") or tree.xpath("//script[contains(., 'HOSTILE')]"):
            violations.append(f"{page.url}: markup")
        text = tree.text_content() + " ".join(tree.xpath("//@value"))
        if "alert('HOSTILE')" in text:
            shown += 1
            if "{{ 7|add:7 }}{% now 'Y' %}" not in text:
                violations.append(f"{page.url}: template syntax was rendered")
    assert violations == []
    assert shown >= 6


def test_a_user_without_the_permission_sees_no_customer_data(
    own_rows: AccountRows, users: dict[str, User | None]
) -> None:
    browser, seen = login_client(users["reporter"]), []
    for page in all_pages(own_rows):
        content: Any = browser.get(page.url, follow=True).content.decode().lower()
        seen += [f"{page.url}: {personal}" for personal in PERSONAL_TEXTS if personal in content]
    assert seen == []


def test_an_editor_without_the_permission_sees_customer_data_only_in_tests(
    own_rows: AccountRows,
) -> None:
    browser = login_client(create_user("Eda", own_rows.account, role="Editor"))
    seen = set()
    for page in all_pages(own_rows):
        content: Any = browser.get(page.url, follow=True).content.decode().lower()
        seen |= {page.name for personal in PERSONAL_TEXTS if personal in content}
    assert seen == {"connections_connection_result", "connections_connectiontest_change"}


def test_a_user_with_the_permission_sees_customer_data(
    own_rows: AccountRows, users: dict[str, User | None]
) -> None:
    url = f"/admin/referrals/delivery/{own_rows.delivery.pk}/change/"
    assert PERSON["email"] in login_client(users["editor"]).get(url).content.decode()
