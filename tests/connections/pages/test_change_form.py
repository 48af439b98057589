"""Tests of the connection's page."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from connections.mapping.to_spec import build_spec
from connections.models import Account, Connection
from connections.operations.connection_tests import send_test
from connections.operations.pause_hold_release import hold_connection
from tests.connections.pages.helpers import change_form, change_url, page_url, read_form
from tests.history import history
from tests.users import SOMEBODY, create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def changed_at(connection: Connection) -> datetime:
    return Connection.objects.get(pk=connection.pk).changed_at


def save(browser: Client, connection: Connection, **changes: str) -> Connection:
    form = change_form(browser, connection)
    form |= {name: [value] for name, value in changes.items()}
    response = browser.post(change_url(connection), form)
    assert response.status_code == 302, response.context["errors"]
    return Connection.objects.get(pk=connection.pk)


def test_saving_without_a_change_changes_no_column(browser: Client, connection: Connection) -> None:
    test = send_test(connection)
    before = Connection.objects.filter(pk=connection.pk).values().get()
    save(browser, connection)
    assert Connection.objects.filter(pk=connection.pk).values().get() == before
    assert test.is_good
    assert Connection.objects.tested().get() == connection


def test_a_changed_body_makes_the_connection_untested(
    browser: Client, connection: Connection
) -> None:
    send_test(connection)
    saved = save(browser, connection, document='{"email": "{{ email }}"}')
    assert saved.document == '{"email": "{{ email }}"}'
    assert not Connection.objects.tested().exists()


def test_a_changed_rule_makes_the_connection_untested(
    browser: Client, connection: Connection
) -> None:
    before = changed_at(connection)
    save(browser, connection, **{"response_rules-0-status": "409"})
    assert connection.response_rules.get(outcome="duplicate").status == "409"
    assert changed_at(connection) > before


def test_a_changed_name_or_contact_leaves_changed_at_as_it_is(
    browser: Client, connection: Connection
) -> None:
    before = changed_at(connection)
    saved = save(
        browser, connection, name="Newsletter",
        **{"technical_contacts-0-name": "Jo", "technical_contacts-0-email": "jo@example.com"},
    )  # fmt: skip
    assert saved.name == "Newsletter"
    assert saved.technical_contacts.get().email == "jo@example.com"
    assert changed_at(connection) == before


def test_saving_keeps_a_hold_that_a_worker_set_meanwhile(
    browser: Client, connection: Connection
) -> None:
    form = change_form(browser, connection)
    hold_connection(connection.pk, reason="Three refusals in a row.", by=SOMEBODY)
    browser.post(change_url(connection), form | {"reason_path": ["message"]})
    saved = Connection.objects.get(pk=connection.pk)
    assert (saved.state, saved.state_reason) == ("held", "Three refusals in a row.")
    assert saved.reason_path == "message"


def test_saving_redirects_to_the_same_page(browser: Client, connection: Connection) -> None:
    form = change_form(browser, connection)
    response = browser.post(change_url(connection), {**form, "_save": "Save"})
    assert response.headers["Location"] == change_url(connection)


def test_rules_are_renumbered_and_a_new_rule_is_last(
    browser: Client, connection: Connection
) -> None:
    save(
        browser, connection,
        **{
            "response_rules-0-position": "7", "response_rules-2-status": "422",
            "response_rules-2-outcome": "rejected",
        },
    )  # fmt: skip
    rows = connection.response_rules.values_list("position", "outcome")
    assert list(rows) == [(1, "delivered"), (2, "duplicate"), (3, "rejected")]


def test_headers_are_saved_from_rows_of_name_and_value(
    browser: Client, connection: Connection
) -> None:
    form = change_form(browser, connection)
    form["headers__name"], form["headers__value"] = ["Accept", "X-A", ""], ["text/plain", "1", ""]
    browser.post(change_url(connection), form)
    saved = Connection.objects.get(pk=connection.pk)
    assert saved.headers == {"Accept": "text/plain", "X-A": "1"}


def test_samples_are_saved_typed_and_can_be_left_out(
    browser: Client, connection: Connection
) -> None:
    saved = save(
        browser, connection, sample_attributes__age="31", sample_attributes__first_name__omit="1"
    )
    assert saved.sample_attributes == {"age": 31, "first_name": ""}
    assert b'"FNAME"' not in bytes(send_test(saved).request_body or b"")


def test_a_sample_of_the_wrong_type_is_refused_with_its_label(
    browser: Client, connection: Connection
) -> None:
    form = change_form(browser, connection) | {"sample_attributes__age": ["old"]}
    response = browser.post(change_url(connection), form)
    assert "Age: must be a whole number, such as 25." in response.content.decode()


def test_limits_are_saved_as_numbers(browser: Client, connection: Connection) -> None:
    saved = save(browser, connection, limit_in_flight="5", limit_schedule="0, 5, 2.5")
    assert saved.limits == {"in_flight": 5, "schedule": [0, 5, 2.5]}
    assert save(browser, connection, limit_schedule="").limits == {"in_flight": 5}


def test_secrets_are_never_rendered(browser: Client, connection: Connection, crm: object) -> None:
    password = connection.secrets["password"]
    save(browser, connection, credentials__name="token", credentials__value="hush-hush")
    html = browser.get(change_url(connection)).content.decode()
    assert password not in html
    assert "hush-hush" not in html
    assert Connection.objects.get(pk=connection.pk).secrets == {
        "password": password, "credentials.token": "hush-hush",
    }  # fmt: skip


def test_a_named_credential_can_be_removed(browser: Client, connection: Connection) -> None:
    save(browser, connection, credentials__name="token", credentials__value="hush-hush")
    saved = save(browser, connection, credentials__remove="token")
    assert "credentials.token" not in saved.secrets


def test_an_environment_may_have_credentials_of_its_own(
    browser: Client, connection: Connection
) -> None:
    form = change_form(browser, connection)
    prefix = next(
        name.removesuffix("-environment")
        for name, values in form.items()
        if name.endswith("-environment") and values == ["testing"]
    )
    save(browser, connection, **{f"{prefix}-basic__password": "for-testing"})
    assert build_spec(connection, "testing").secrets()[0] == "for-testing"
    assert build_spec(connection, "production").secrets()[0] != "for-testing"
    assert "for-testing" not in browser.get(change_url(connection)).content.decode()
    save(browser, connection, **{f"{prefix}-use_common_credentials": "on"})
    assert connection.endpoints.get(environment="testing").secrets == {}


def test_an_emptied_endpoint_is_deleted(browser: Client, connection: Connection) -> None:
    form = change_form(browser, connection)
    url = next(
        name.replace("-environment", "-url")
        for name, values in form.items()
        if name.endswith("-environment") and values == ["testing"]
    )
    save(browser, connection, **{url: ""})
    assert list(connection.endpoints.values_list("environment", flat=True)) == ["production"]


def test_a_tab_shows_the_number_of_its_errors(browser: Client, connection: Connection) -> None:
    form = change_form(browser, connection) | {"document": ['{"a": {{ email }}}']}
    html = browser.post(change_url(connection), form).content.decode()
    counts = count_problems(html)
    assert counts["body"] == 1
    assert counts["endpoint"] == 0


def count_problems(html: str) -> dict[str, int]:
    """Return the number of problems that each tab shows."""
    parts = html.split('<span data-fragment="tab-')[1:]
    return {
        part.partition('"')[0]: part.partition("</span>")[0].count("tab-problems") for part in parts
    }


def test_a_new_connection_is_created_from_the_empty_form(browser: Client, account: Account) -> None:
    page = browser.get(page_url("add"), {"empty": "1"})
    form = read_form(page.content.decode())
    assert form["account"] == [str(account.pk)]
    form |= {"name": ["CRM"], "endpoints-0-url": ["https://crm.example/leads"]}
    response = browser.post(page_url("add"), form)
    connection = Connection.objects.get()
    assert response.headers["Location"] == change_url(connection)
    assert connection.endpoints.get().environment == "production"


def test_a_connection_is_paused_and_released(browser: Client, connection: Connection) -> None:
    data = {"from": "connection"}
    response = browser.post(reverse("admin:pause_connection", args=[connection.pk]), data)
    assert response.headers["Location"] == change_url(connection)
    paused = Connection.objects.get()
    assert (paused.state, paused.state_reason) == ("paused", "Paused by Eda.")
    browser.post(reverse("admin:release_connection", args=[connection.pk]), data)
    assert Connection.objects.get().state == "active"
    assert history(connection) == [("Eda", "admin", "Paused."), ("Eda", "admin", "Released.")]


def test_the_list_shows_which_connections_are_tested(
    browser: Client, connection: Connection, django_assert_max_num_queries: object
) -> None:
    page = browser.get(page_url("changelist")).content.decode()
    assert "outcome-untested" in page
    send_test(connection)
    page = browser.get(page_url("changelist")).content.decode()
    assert "outcome-tested" in page
    assert "outcome-untested" not in page


def test_reporters_read_the_page_and_see_the_preview(
    account: Account, connection: Connection
) -> None:
    browser = login_client(create_user("Rob", account, role="Reporter"))
    html = browser.get(change_url(connection)).content.decode()
    assert "john.smith@example.com" in html
    assert connection.secrets["password"] not in html
    assert 'name="_save"' not in html
    assert "test-button" not in html


POST_ONLY_PAGES = ["test", "preview"]


@pytest.mark.parametrize("name", POST_ONLY_PAGES)
def test_reporters_may_neither_test_nor_preview(
    name: str, account: Account, connection: Connection
) -> None:
    browser = login_client(create_user("Rob", account, role="Reporter"))
    assert browser.post(page_url(name, connection.pk), {}).status_code == 403


@pytest.mark.parametrize("name", POST_ONLY_PAGES)
def test_connections_of_another_account_are_not_found(name: str, connection: Connection) -> None:
    other = Account.objects.create(name="Other", slug="other")
    browser = login_client(create_user("Olga", other, role="Editor"))
    assert browser.get(change_url(connection)).status_code == 404
    assert browser.post(page_url(name, connection.pk), {}).status_code == 404


@pytest.mark.parametrize("name", POST_ONLY_PAGES)
def test_a_get_request_is_not_allowed(name: str, browser: Client, connection: Connection) -> None:
    assert browser.get(page_url(name, connection.pk)).status_code == 405
