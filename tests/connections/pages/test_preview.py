"""The preview while typing: what it shows, what it never shows, and that it does nothing."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.models import Account, Connection, CustomAttribute
from connections.simulator import CRM
from tests.connections.pages.helpers import change_form, page_url
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("uncollected")


@pytest.fixture
def editor(account: Account) -> User:
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def browser(editor: User) -> Client:
    return login_client(editor)


def preview(browser: Client, connection: Connection, **changes: str) -> dict[str, str]:
    """The slots of the preview for the form with these changes, without tags."""
    form = change_form(browser, connection)
    form |= {name: [value] for name, value in changes.items()}
    return slots(browser.post(page_url("preview", connection.pk), form).content.decode())


def slots(html: str) -> dict[str, str]:
    parts = re.split(r'<div data-slot="([\w-]+)">', html)[1:]
    names, bodies = parts[::2], parts[1::2]
    return {
        name: " ".join(re.sub(r"<[^>]*>", "", body).replace("&quot;", '"').split())
        for name, body in zip(names, bodies, strict=True)
    }


def test_the_request_is_shown_byte_for_byte(browser: Client, connection: Connection) -> None:
    shown = preview(browser, connection)["preview"]
    assert "POST /3.0/lists/testing/members HTTP/1.1 Host: 127.0.0.1" in shown
    assert '{"email_address": "john.smith@example.com", "status": "subscribed"' in shown
    assert "As a curl command curl --request POST" in shown


def test_what_is_typed_is_shown_and_not_saved(browser: Client, connection: Connection) -> None:
    before = Connection.objects.filter(pk=connection.pk).values().get()
    shown = preview(browser, connection, document='{"mail": "{{ email | upcase }}"}')["preview"]
    assert '{"mail": "JOHN.SMITH@EXAMPLE.COM"}' in shown
    assert Connection.objects.filter(pk=connection.pk).values().get() == before


def test_nothing_is_sent(browser: Client, connection: Connection, crm: CRM) -> None:
    preview(browser, connection)
    assert crm.received() == []


def test_credentials_are_masked_saved_and_typed_alike(
    browser: Client, connection: Connection
) -> None:
    saved = preview(browser, connection)["preview"]
    typed = preview(browser, connection, basic__password="typed-now")["preview"]
    assert connection.secrets["password"] not in saved + typed
    assert "typed-now" not in typed
    assert "Authorization: Basic ••••" in typed


def test_a_credential_in_the_body_is_masked(browser: Client, connection: Connection) -> None:
    shown = preview(
        browser, connection, credentials__name="key", credentials__value="hush-hush",
        document='{"key": "{{ credentials.key }}", "email": "{{ email }}"}',
    )["preview"]  # fmt: skip
    assert '{"key": "••••", "email": "john.smith@example.com"}' in shown
    assert "hush-hush" not in shown


def test_what_is_wrong_is_told_with_the_name_of_the_field(
    browser: Client, connection: Connection
) -> None:
    shown = preview(browser, connection, document='{"a": "{{ emial }}"}')
    assert "Body: There is no attribute" in shown["preview"]
    assert 'Did you mean "email"?' in shown["preview"]
    assert shown["tab-body"] == "! 1 problem"
    assert shown["tab-general"] == ""


def test_a_wrong_rule_is_told_by_its_number_and_the_others_still_count(
    browser: Client, connection: Connection
) -> None:
    shown = preview(browser, connection, **{"response_rules-0-status": "4oo"})
    assert 'Rule 1: Status: "4oo" is no status' in shown["preview"]
    assert "POST /3.0/lists/testing/members" in shown["preview"]


def test_expected_responses_show_what_the_rules_make_of_them_now(
    browser: Client, connection: Connection
) -> None:
    answer = {
        "expected_responses-0-name": "Twice", "expected_responses-0-status": "400",
        "expected_responses-0-outcome": "duplicate",
        "expected_responses-0-body": '{"title": "Member Exists"}',
    }  # fmt: skip
    good = preview(browser, connection, **answer)["expected-0"]
    assert good == (
        "400 ≡ Duplicate ✓ as expected "
        "by status 400 and json title equals Member Exists → duplicate"
    )
    bad = preview(browser, connection, **answer, **{"response_rules-0-value": "Exists"})
    assert bad["expected-0"] == (
        "400 ✕ expected duplicate, read as ✕ Rejected by its status, no rule matches"
    )
    assert "1 of 1 would be misread." in bad["checklist"]


def test_the_checklist_follows_what_is_typed(browser: Client, connection: Connection) -> None:
    assert "3 of 8 missing" in preview(browser, connection)["checklist"]
    shown = preview(browser, connection, documentation="https://docs.example")["checklist"]
    assert "2 of 8 missing" in shown


def test_an_accounts_own_attributes_are_known(browser: Client, connection: Connection) -> None:
    CustomAttribute.objects.create(
        account=connection.account, key="shoe_size", label="Shoe size", example="44"
    )
    shown = preview(browser, connection, document='{"size": "{{ shoe_size }}"}')["preview"]
    assert '{"size": "44"}' in shown


def test_a_new_connection_has_a_preview_before_it_is_saved(
    browser: Client, account: Account
) -> None:
    form = {
        "account": account.pk, "method": "POST", "encoding": "json", "empty_values": "omit",
        "authorization_kind": "none", "document": '{"email": "{{ email }}"}',
        "test_environment": "testing", "on_unknown": "retry", "wait_unit": "seconds",
        "endpoints-TOTAL_FORMS": 1, "endpoints-INITIAL_FORMS": 0,
        "endpoints-0-environment": "production", "endpoints-0-url": "https://crm.example/leads",
        "response_rules-TOTAL_FORMS": 0, "response_rules-INITIAL_FORMS": 0,
        "technical_contacts-TOTAL_FORMS": 0, "technical_contacts-INITIAL_FORMS": 0,
        "expected_responses-TOTAL_FORMS": 0, "expected_responses-INITIAL_FORMS": 0,
    }  # fmt: skip
    shown = slots(browser.post(page_url("preview_new"), form).content.decode())["preview"]
    assert "Preview to production" in shown
    assert "Name: This field is required." in shown
    assert "POST /leads HTTP/1.1 Host: crm.example" in shown
    assert not Connection.objects.exists()


def test_markup_of_strangers_stays_text(browser: Client, connection: Connection) -> None:
    form = change_form(browser, connection)
    form["document"] = ['{"a": "<script>alert(1)</script>"}']
    html = browser.post(page_url("preview", connection.pk), form).content.decode()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_half_sent_form_is_no_error_of_the_server(
    browser: Client, connection: Connection
) -> None:
    answer = browser.post(page_url("preview", connection.pk), {"name": "x" * 5000})
    assert answer.status_code == 200


def test_reporters_may_not_preview_new_connections(account: Account) -> None:
    browser = login_client(create_user("Rob", account, role="Reporter"))
    assert browser.post(page_url("preview_new"), {}).status_code == 403


def test_the_preview_is_never_kept_by_a_browser(browser: Client, connection: Connection) -> None:
    answer = browser.post(page_url("preview", connection.pk), {})
    assert "no-store" in answer.headers["Cache-Control"]
