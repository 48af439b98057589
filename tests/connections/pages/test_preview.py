"""Tests of the preview of the connection's page."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from connections.models import Account, Connection, CustomAttribute
from connections.simulator import CRM
from tests.connections.pages.helpers import change_form, page_url
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def preview(browser: Client, connection: Connection, **changes: str) -> dict[str, str]:
    """Return the fragments of the preview for the form with these changes, without tags."""
    form = change_form(browser, connection)
    form |= {name: [value] for name, value in changes.items()}
    return read_fragments(browser.post(page_url("preview", connection.pk), form).content.decode())


def read_fragments(html: str) -> dict[str, str]:
    parts = re.split(r'<div data-fragment="([\w-]+)">', html)[1:]
    names, bodies = parts[::2], parts[1::2]
    return {
        name: " ".join(re.sub(r"<[^>]*>", "", body).replace("&quot;", '"').split())
        for name, body in zip(names, bodies, strict=True)
    }


def test_the_request_is_shown_as_it_would_be_sent(browser: Client, connection: Connection) -> None:
    shown = preview(browser, connection)["preview"]
    assert "POST /3.0/lists/testing/members HTTP/1.1 Host: 127.0.0.1" in shown
    assert '{"email_address": "john.smith@example.com", "status": "subscribed"' in shown
    assert "As a curl command curl --request POST" in shown


def test_an_unsaved_change_is_shown_and_not_saved(browser: Client, connection: Connection) -> None:
    before = Connection.objects.filter(pk=connection.pk).values().get()
    shown = preview(browser, connection, document='{"mail": "{{ email | upcase }}"}')["preview"]
    assert '{"mail": "JOHN.SMITH@EXAMPLE.COM"}' in shown
    assert Connection.objects.filter(pk=connection.pk).values().get() == before


def test_a_preview_sends_nothing(browser: Client, connection: Connection, crm: CRM) -> None:
    preview(browser, connection)
    assert crm.received() == []


def test_saved_and_unsaved_credentials_are_masked(browser: Client, connection: Connection) -> None:
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


def test_an_error_is_shown_with_the_name_of_its_field(
    browser: Client, connection: Connection
) -> None:
    shown = preview(browser, connection, document='{"a": "{{ emial }}"}')
    assert "Body: There is no attribute" in shown["preview"]
    assert 'Did you mean "email"?' in shown["preview"]
    assert shown["tab-body"] == "! 1 problem"
    assert shown["tab-general"] == ""


def test_an_invalid_rule_is_shown_by_its_number_beside_the_request(
    browser: Client, connection: Connection
) -> None:
    shown = preview(browser, connection, **{"response_rules-0-status": "4oo"})
    assert 'Rule 1: Status: "4oo" is no status' in shown["preview"]
    assert "POST /3.0/lists/testing/members" in shown["preview"]


def test_expected_responses_show_their_outcome_under_the_unsaved_rules(
    browser: Client, connection: Connection
) -> None:
    fields = {
        "expected_responses-0-name": "Twice", "expected_responses-0-status": "400",
        "expected_responses-0-outcome": "duplicate",
        "expected_responses-0-body": '{"title": "Member Exists"}',
    }  # fmt: skip
    good = preview(browser, connection, **fields)["expected-0"]
    assert good == (
        "400 ≡ Duplicate ✓ as expected "
        "by status 400 and json title equals Member Exists → duplicate"
    )
    bad = preview(browser, connection, **fields, **{"response_rules-0-value": "Exists"})
    assert bad["expected-0"] == (
        "400 ✕ expected duplicate, read as ✕ Rejected by its status, no rule matches"
    )
    assert "1 of 1 would be misread." in bad["checklist"]


def test_the_checklist_includes_unsaved_changes(browser: Client, connection: Connection) -> None:
    assert "3 of 8 missing" in preview(browser, connection)["checklist"]
    shown = preview(browser, connection, documentation="https://docs.example")["checklist"]
    assert "2 of 8 missing" in shown


def test_a_custom_attribute_is_known(browser: Client, connection: Connection) -> None:
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
    shown = read_fragments(browser.post(page_url("preview_new"), form).content.decode())["preview"]
    assert "Preview to production" in shown
    assert "Name: This field is required." in shown
    assert "POST /leads HTTP/1.1 Host: crm.example" in shown
    assert not Connection.objects.exists()


def test_markup_in_a_document_is_escaped(browser: Client, connection: Connection) -> None:
    form = change_form(browser, connection)
    form["document"] = ['{"a": "<script>alert(1)</script>"}']
    html = browser.post(page_url("preview", connection.pk), form).content.decode()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_an_incomplete_form_causes_no_server_error(browser: Client, connection: Connection) -> None:
    response = browser.post(page_url("preview", connection.pk), {"name": "x" * 5000})
    assert response.status_code == 200


def test_reporters_may_not_preview_new_connections(account: Account) -> None:
    browser = login_client(create_user("Rob", account, role="Reporter"))
    assert browser.post(page_url("preview_new"), {}).status_code == 403


def test_a_preview_is_not_cached_by_the_browser(browser: Client, connection: Connection) -> None:
    response = browser.post(page_url("preview", connection.pk), {})
    assert "no-store" in response.headers["Cache-Control"]
