"""Tests of the result page of a test."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connections.models import Account, Connection, ConnectionTest
from connections.models.exchanges import dump_headers
from connections.operations.connection_tests import send_test
from tests.connections.pages.helpers import change_url, page_url, read_messages
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def make_test(
    connection: Connection, status: int, body: str, content_type: str = "application/json"
) -> ConnectionTest:
    return ConnectionTest.objects.create(
        connection=connection, environment="testing", started_at=timezone.now(), duration_ms=12,
        outcome="rejected", attributes={"email": "jo@example.com"}, request_method="POST",
        request_url="https://crm.example/leads", response_status=status,
        response_headers=dump_headers((("Content-Type", content_type),)),
        response_body=body.encode(),
    )  # fmt: skip


def get_result(browser: Client, test: ConnectionTest) -> Any:
    return browser.get(page_url("result", test.connection_id, test.pk))


def read_html(browser: Client, test: ConnectionTest) -> str:
    return " ".join(get_result(browser, test).content.decode().replace("&quot;", '"').split())


def read_conditions(browser: Client, test: ConnectionTest) -> list[str]:
    return [
        label
        for _, label in get_result(browser, test).context["rule_form"]["condition"].field.choices
    ]


def make_rule(browser: Client, test: ConnectionTest, **choice: str) -> Any:
    url = page_url("make_rule", test.connection_id, test.pk)
    return browser.post(url, {"condition": "0", "status": "", **choice})


def test_the_result_shows_outcome_expectation_exchange_and_rule(
    browser: Client, connection: Connection
) -> None:
    test = send_test(connection)
    html = read_html(browser, test)
    assert "As expected." in html
    assert "The CRM created or updated the person." in html
    assert "status 200 and json id exists → delivered" in html
    assert test.reference in html
    assert "••••" in html
    assert connection.secrets["password"] not in html


def test_every_rule_explains_why_it_matched_or_did_not(
    browser: Client, connection: Connection
) -> None:
    test = send_test(connection)
    rules = get_result(browser, test).context["rules"]
    assert [(rule.number, rule.state, rule.explanation) for rule in rules] == [
        (1, "unmatched", "The status is 200, not 400."),
        (2, "matched", f'Found "{test.reference}" in a JSON path id, which matches.'),
    ]


def test_rules_after_the_first_match_are_not_evaluated(
    browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 400, '{"title": "Member Exists"}')
    rules = get_result(browser, test).context["rules"]
    assert [rule.state for rule in rules] == ["matched", "unasked"]


def test_the_most_specific_conditions_are_suggested_first(
    browser: Client, connection: Connection
) -> None:
    body = '{"instance": "a1", "title": "Member Exists", "status": 400, "n": {"code": 7}}'
    test = make_test(connection, 400, body)
    assert read_conditions(browser, test) == [
        "title equals “Member Exists”",
        "n.code equals “7”",
        "status equals “400”",
        "instance equals “a1”",
        "the status alone",
    ]


def test_conditions_that_hold_for_one_person_only_are_not_suggested(
    browser: Client, connection: Connection
) -> None:
    body = '{"detail": "jo@example.com is already a list member.", "key": "••••", "id": "x1"}'
    test = make_test(connection, 400, body)
    assert read_conditions(browser, test) == ["id exists", "the status alone"]


def test_conditions_are_suggested_for_xml_and_text(browser: Client, connection: Connection) -> None:
    xml = make_test(connection, 200, "<r><ok>false</ok><Err>Twice</Err></r>", "text/xml")
    assert read_conditions(browser, xml) == [
        "/r/ok equals “false”", "/r/Err equals “Twice”", "the status alone",
    ]  # fmt: skip
    text = make_test(connection, 200, "Already subscribed.", "text/plain")
    assert read_conditions(browser, text) == [
        "the body text equals “Already subscribed.”", "the status alone",
    ]  # fmt: skip


def test_a_new_rule_is_placed_where_it_takes_effect(
    browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 200, '{"id": "a", "status": "archived"}')
    response = make_rule(browser, test, status="200", outcome="suppressed")
    assert read_messages(response) == [
        "Rule 2 is made: status 200 and json status equals archived → suppressed. Test once more."
    ]
    rows = connection.response_rules.values_list("position", "outcome")
    assert list(rows) == [(1, "duplicate"), (2, "suppressed"), (3, "delivered")]
    assert [rule.state for rule in get_result(browser, test).context["rules"]] == [
        "unmatched", "matched", "unasked",
    ]  # fmt: skip


def test_a_new_rule_for_an_unmatched_response_is_last(
    browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 409, '{"error": "conflict"}')
    make_rule(browser, test, status="409", outcome="duplicate")
    assert connection.response_rules.last().position == 3  # type: ignore[union-attr]


def test_a_new_rule_makes_the_connection_untested(browser: Client, connection: Connection) -> None:
    test = send_test(connection)
    make_rule(browser, test, status="200", outcome="delivered")
    assert not Connection.objects.tested().exists()
    assert "has changed since this test" in read_html(browser, test)


def test_a_rule_needs_a_status_or_a_condition(browser: Client, connection: Connection) -> None:
    test = make_test(connection, 409, "{}")
    response = make_rule(browser, test, condition="status", outcome="duplicate")
    assert read_messages(response) == ["A rule needs a status, a condition, or both."]
    assert connection.response_rules.count() == 2


def test_a_response_is_kept_as_an_expected_response(
    browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 409, '{"error": "conflict"}')
    url = page_url("keep", connection.pk, test.pk)
    response = browser.post(url, {"name": "Conflict", "outcome": "duplicate"})
    assert read_messages(response) == ["“Conflict” is an expected response now: duplicate."]
    response_row = connection.expected_responses.get()
    assert (response_row.status, response_row.headers, response_row.body) == (
        409, {"Content-Type": "application/json"}, '{"error": "conflict"}',
    )  # fmt: skip
    repeated = browser.post(url, {"name": "Conflict", "outcome": "duplicate"})
    assert read_messages(repeated)[-1] == (
        'There is an expected response of the name "Conflict" already; choose another.'
    )


def test_earlier_tests_are_listed_newest_first(browser: Client, connection: Connection) -> None:
    first, second = send_test(connection), send_test(connection)
    assert [test.pk for test in get_result(browser, first).context["earlier"]] == [
        second.pk,
        first.pk,
    ]


def test_a_missing_response_is_shown_with_its_error(
    browser: Client, connection: Connection
) -> None:
    test = send_test(connection, attributes={"email": "reset@example.com"})
    html = read_html(browser, test)
    assert "Not as expected." in html
    assert "No response came." in html
    assert test.error_code in html
    assert "rule_form" not in get_result(browser, test).context


@pytest.mark.parametrize(
    "body",
    ["<script>alert(1)</script>", "{{ email }}{% debug %}", "\u202edlrow", "x" * 20_000, "{" * 900],
)
def test_markup_in_a_response_is_escaped(
    body: str, browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 200, body, "text/html")
    response = get_result(browser, test)
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


def test_bytes_that_are_not_text_are_shown_as_a_hex_dump(
    browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 200, "")
    ConnectionTest.objects.filter(pk=test.pk).update(response_body=b"\xff\x00\x01ok")
    assert "000000 ff 00 01 6f 6b ...ok" in read_html(browser, test)


def test_reporters_see_the_result_and_change_nothing(
    account: Account, connection: Connection
) -> None:
    test = send_test(connection)
    browser = login_client(create_user("Rob", account, role="Reporter"))
    html = read_html(browser, test)
    assert "As expected." in html
    assert "Make rule" not in html
    assert make_rule(browser, test, outcome="delivered").status_code == 403
    keep = page_url("keep", connection.pk, test.pk)
    assert browser.post(keep, {"name": "x", "outcome": "delivered"}).status_code == 403


def test_reporters_see_no_personal_data(account: Account, connection: Connection) -> None:
    person = {"email": "exists@example.com", "first_name": "Jolanda"}
    test = send_test(connection, attributes=person)
    browser = login_client(create_user("Rob", account, role="Reporter"))
    html = read_html(browser, test)
    assert "exists@example.com" not in html
    assert "Jolanda" not in html
    assert "Reason</dt> <dd> •••• is already a list member." in html
    assert "data is hidden: it takes the permission" in html
    assert "curl --request POST" in html


def test_a_response_in_latin_1_is_decoded(browser: Client, connection: Connection) -> None:
    test = make_test(connection, 200, "", "text/plain; charset=latin-1")
    ConnectionTest.objects.filter(pk=test.pk).update(response_body="Grüße".encode("latin-1"))
    assert "Grüße" in read_html(browser, test)


def test_results_of_another_account_are_not_found(connection: Connection) -> None:
    test = send_test(connection)
    other = Account.objects.create(name="Other", slug="other")
    browser = login_client(create_user("Olga", other, role="Editor"))
    assert get_result(browser, test).status_code == 404
    assert make_rule(browser, test, outcome="delivered").status_code == 404


def test_a_test_of_another_connection_is_not_found(
    browser: Client, connection: Connection, account: Account
) -> None:
    other = Connection.objects.create(account=account, name="Other")
    test = send_test(connection)
    assert browser.get(page_url("result", other.pk, test.pk)).status_code == 404


def test_a_test_in_the_list_redirects_to_its_result(
    browser: Client, connection: Connection
) -> None:
    test = send_test(connection)
    response = browser.get(f"/admin/connections/connectiontest/{test.pk}/change/")
    assert response.headers["Location"] == page_url("result", connection.pk, test.pk)
    assert change_url(connection) in read_html(browser, test)
