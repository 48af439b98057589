"""Every page of the admin, opened by everybody: the right status, no foreign row, few questions, no
inline script, and nothing that a stranger wrote taken for markup."""

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
from tests.factories import PERSON, PERSONAL, World, make_world
from tests.page_crawler import WITHOUT_PAGE, Page, nameless, names, pages, problems
from tests.users import create_user, login_client

MAX_QUERIES = 40

HOSTILE = (
    "<script>alert('HOSTILE')</script>\"'><img src=x onerror=alert(1)>{{ 7|add:7 }}{% now 'Y' %}"
    "</pre></textarea></title>\u202eTXET\u202c ${7*7} " + "long" * 300
)

pytestmark = pytest.mark.usefixtures("uncollected")


@pytest.fixture
def own(db: None) -> World:
    return make_world("OWN")


@pytest.fixture
def foreign(own: World) -> World:
    return make_world("FOREIGN")


@pytest.fixture
def people(own: World, admin_user: User) -> dict[str, User | None]:
    """Everybody who may come; the stranger belongs to an account without anything."""
    elsewhere = Account.objects.create(name="Elsewhere", slug="elsewhere")
    return {
        "superuser": admin_user,
        "editor": create_user("Eda", own.account, role="Editor", sees_customers=True),
        "reporter": create_user("Rob", own.account, role="Reporter"),
        "stranger": create_user("Stan", elsewhere, role="Editor", sees_customers=True),
        "anonymous": None,
    }


def expected_status(page: Page, user: User | None) -> int:
    """What an address answers to this person."""
    if (page.name == "login") is (user is None):
        return 200 if user is None else _of_permission(page, user)
    return 302


def _of_permission(page: Page, user: User) -> int:
    if page.only_posts:
        return 404 if page.name == "referrals_delivery_do" else 405
    if page.model and not _may(page, user):
        return 403
    if page.is_of_a_row and user.username == "Stan":
        return 404
    return 302 if page.name == "connections_connectiontest_change" else 200


def _may(page: Page, user: User) -> bool:
    """Whether the person's permissions open the page; logs are read, whoever one is."""
    if page.kind == "raw":
        return user.has_perm("referrals.view_customer_data")
    app, _, model = page.model.partition("_")
    model_admin = admin.site.get_model_admin(apps.get_model(app, model))
    if page.kind in ("add", "delete") and isinstance(model_admin, ReadOnly):
        return False
    needed = _NEEDED.get(page.kind, page.kind)
    return user.has_perm(f"{app}.{needed}_{model}")


_NEEDED = {"changelist": "view", "history": "view", "change": "view", "changing": "change"}
"""Who may only view a row opens the page on which others change it."""


def test_no_address_of_the_admin_is_forgotten(own: World) -> None:
    assert {page.name for page in pages(own)} == names() - WITHOUT_PAGE


def test_no_address_of_ours_is_without_a_name_by_which_it_would_be_found() -> None:
    assert {view.__module__.partition(".")[0] for view in nameless()} == {"django"}


def test_questions_do_not_grow_with_the_rows(own: World, admin_user: User) -> None:
    browser = login_client(admin_user)
    before = _questions(browser, own)
    for number in range(6):
        make_world(f"MORE{number}")
    after = _questions(browser, own)
    assert {url: (before[url], count) for url, count in after.items() if count > before[url]} == {}


def _questions(browser: Client, world: World) -> dict[str, int]:
    """How many each page asks of the database, once what is kept for long is there."""
    counts = {}
    for page in pages(world) * 2:
        with CaptureQueriesContext(database) as queries:
            browser.get(page.url)
        counts[page.url] = len(queries)
    return counts


@pytest.mark.parametrize("who", ["superuser", "editor", "reporter", "stranger", "anonymous"])
def test_every_page_opens_for_whom_it_should(
    who: str, own: World, foreign: World, people: dict[str, User | None]
) -> None:
    browser, wrong = login_client(people[who]), []
    for page in pages(own):
        with CaptureQueriesContext(database) as queries:
            response: Any = browser.get(page.url)
        content = response.content.decode()
        if response.status_code != expected_status(page, people[who]):
            wrong.append(f"{page.url}: {response.status_code}")
        wrong += [f"{page.url}: {problem}" for problem in problems(response)]
        if who != "superuser" and "FOREIGN" in content.replace("q=FOREIGN", "").replace(
            'value="FOREIGN"', ""
        ):
            wrong.append(f"{page.url}: shows a foreign row")
        if who == "stranger" and "OWN " in content:
            wrong.append(f"{page.url}: shows a row of another account")
        if len(queries) > MAX_QUERIES:
            wrong.append(f"{page.url}: {len(queries)} questions")
    assert wrong == []


@pytest.mark.parametrize("who", ["editor", "reporter"])
def test_a_row_of_another_account_is_not_found(
    who: str, own: World, foreign: World, people: dict[str, User | None]
) -> None:
    browser = login_client(people[who])
    of_rows = [
        page for page in pages(foreign) if page.is_of_a_row and not page.model.startswith("auth")
    ]
    found = {}
    for page in of_rows:
        answer = (browser.post if page.only_posts else browser.get)(page.url)
        # Whoever may not do it at all is told that, whosever row it is.
        if answer.status_code not in (403, 404):
            found[page.url] = answer.status_code
    assert found == {}


def test_what_strangers_write_is_shown_as_text(admin_user: User) -> None:
    world = make_world("OWN", HOSTILE)
    browser, wrong, shown = login_client(admin_user), [], 0
    for page in pages(world):
        response: Any = browser.get(page.url)
        if response.status_code != 200 or "html" not in response["Content-Type"]:
            continue
        wrong += [f"{page.url}: {problem}" for problem in problems(response)]
        tree: Any = html.fromstring(response.content.decode())
        if tree.xpath("//img[@src='x']") or tree.xpath("//script[contains(., 'HOSTILE')]"):
            wrong.append(f"{page.url}: markup")
        text = tree.text_content() + " ".join(tree.xpath("//@value"))
        if "alert('HOSTILE')" in text:
            shown += 1
            if "{{ 7|add:7 }}{% now 'Y' %}" not in text:
                wrong.append(f"{page.url}: a template's syntax was read")
    assert wrong == []
    assert shown >= 6


def test_who_may_not_see_customers_sees_none_of_them_anywhere(
    own: World, people: dict[str, User | None]
) -> None:
    browser, seen = login_client(people["reporter"]), []
    for page in pages(own):
        content: Any = browser.get(page.url, follow=True).content.decode().lower()
        seen += [f"{page.url}: {personal}" for personal in PERSONAL if personal in content]
    assert seen == []


def test_an_editor_without_the_permission_sees_customers_in_tests_alone(own: World) -> None:
    browser = login_client(create_user("Eda", own.account, role="Editor"))
    seen = set()
    for page in pages(own):
        content: Any = browser.get(page.url, follow=True).content.decode().lower()
        seen |= {page.name for personal in PERSONAL if personal in content}
    assert seen == {"connections_connection_result", "connections_connectiontest_change"}


def test_who_may_see_customers_sees_them(own: World, people: dict[str, User | None]) -> None:
    address = f"/admin/referrals/delivery/{own.delivery.pk}/change/"
    assert PERSON["email"] in login_client(people["editor"]).get(address).content.decode()
