"""The result of a test: what is shown, and what can be made of the answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from connections.models import Account, Connection, ConnectionTest
from connections.models.exchanges import dump_headers
from connections.operations.connection_tests import run_test
from tests.connections.pages.helpers import change_url, page_url
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("uncollected")


@pytest.fixture
def editor(account: Account) -> User:
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def browser(editor: User) -> Client:
    return login_client(editor)


def make_test(
    connection: Connection, status: int, body: str, content_type: str = "application/json"
) -> ConnectionTest:
    """A test with this answer."""
    return ConnectionTest.objects.create(
        connection=connection, environment="testing", started_at=timezone.now(), duration_ms=12,
        outcome="rejected", attributes={"email": "jo@example.com"}, request_method="POST",
        request_url="https://crm.example/leads", response_status=status,
        response_headers=dump_headers((("Content-Type", content_type),)),
        response_body=body.encode(),
    )  # fmt: skip


def page(browser: Client, test: ConnectionTest) -> Any:
    return browser.get(page_url("result", test.connection_id, test.pk))


def html(browser: Client, test: ConnectionTest) -> str:
    return " ".join(page(browser, test).content.decode().replace("&quot;", '"').split())


def say(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def conditions(browser: Client, test: ConnectionTest) -> list[str]:
    return [
        label for _, label in page(browser, test).context["rule_form"]["condition"].field.choices
    ]


def make_rule(browser: Client, test: ConnectionTest, **choice: str) -> Any:
    url = page_url("make_rule", test.connection_id, test.pk)
    return browser.post(url, {"condition": "0", "status": "", **choice})


def test_the_result_shows_outcome_expectation_exchange_and_rule(
    browser: Client, connection: Connection
) -> None:
    test = run_test(connection)
    shown = html(browser, test)
    assert "As expected." in shown
    assert "The CRM created or updated the person." in shown
    assert "status 200 and json id exists → delivered" in shown
    assert test.reference in shown
    assert "••••" in shown
    assert connection.secrets["password"] not in shown


def test_every_rule_says_why_it_matched_or_did_not(browser: Client, connection: Connection) -> None:
    test = run_test(connection)
    rules = page(browser, test).context["rules"]
    assert [(rule.number, rule.state, rule.explanation) for rule in rules] == [
        (1, "unmatched", "The status is 200, not 400."),
        (2, "matched", f'Found "{test.reference}" in a JSON path id, which matches.'),
    ]


def test_rules_behind_the_first_match_are_not_asked(
    browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 400, '{"title": "Member Exists"}')
    rules = page(browser, test).context["rules"]
    assert [rule.state for rule in rules] == ["matched", "unasked"]


def test_the_most_telling_conditions_come_first(browser: Client, connection: Connection) -> None:
    body = '{"instance": "a1", "title": "Member Exists", "status": 400, "n": {"code": 7}}'
    test = make_test(connection, 400, body)
    assert conditions(browser, test) == [
        "title equals “Member Exists”",
        "n.code equals “7”",
        "status equals “400”",
        "instance equals “a1”",
        "the status alone",
    ]


def test_what_holds_for_one_person_only_is_not_offered(
    browser: Client, connection: Connection
) -> None:
    body = '{"detail": "jo@example.com is already a list member.", "key": "••••", "id": "x1"}'
    test = make_test(connection, 400, body)
    assert conditions(browser, test) == ["id exists", "the status alone"]


def test_xml_and_text_answers_suggest_conditions_too(
    browser: Client, connection: Connection
) -> None:
    xml = make_test(connection, 200, "<r><ok>false</ok><Err>Twice</Err></r>", "text/xml")
    assert conditions(browser, xml) == [
        "/r/ok equals “false”", "/r/Err equals “Twice”", "the status alone",
    ]  # fmt: skip
    text = make_test(connection, 200, "Already subscribed.", "text/plain")
    assert conditions(browser, text) == [
        "the body text equals “Already subscribed.”", "the status alone",
    ]  # fmt: skip


def test_a_rule_is_made_where_it_takes_effect(browser: Client, connection: Connection) -> None:
    test = make_test(connection, 200, '{"id": "a", "status": "archived"}')
    response = make_rule(browser, test, status="200", outcome="suppressed")
    assert say(response) == [
        "Rule 2 is made: status 200 and json status equals archived → suppressed. Test once more."
    ]
    rows = connection.response_rules.values_list("position", "outcome")
    assert list(rows) == [(1, "duplicate"), (2, "suppressed"), (3, "delivered")]
    assert [rule.state for rule in page(browser, test).context["rules"]] == [
        "unmatched", "matched", "unasked",
    ]  # fmt: skip


def test_a_rule_for_an_answer_that_none_matches_comes_last(
    browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 409, '{"error": "conflict"}')
    make_rule(browser, test, status="409", outcome="duplicate")
    assert connection.response_rules.last().position == 3  # type: ignore[union-attr]


def test_making_a_rule_makes_the_connection_untested(
    browser: Client, connection: Connection
) -> None:
    test = run_test(connection)
    make_rule(browser, test, status="200", outcome="delivered")
    assert not Connection.objects.tested().exists()
    assert "has changed since this test" in html(browser, test)


def test_a_rule_needs_a_status_or_a_condition(browser: Client, connection: Connection) -> None:
    test = make_test(connection, 409, "{}")
    response = make_rule(browser, test, condition="status", outcome="duplicate")
    assert say(response) == ["A rule needs a status, a condition, or both."]
    assert connection.response_rules.count() == 2


def test_an_answer_is_kept_as_an_expected_response(browser: Client, connection: Connection) -> None:
    test = make_test(connection, 409, '{"error": "conflict"}')
    url = page_url("keep", connection.pk, test.pk)
    response = browser.post(url, {"name": "Conflict", "outcome": "duplicate"})
    assert say(response) == ["“Conflict” is an expected response now: duplicate."]
    kept = connection.expected_responses.get()
    assert (kept.status, kept.headers, kept.body) == (
        409, {"Content-Type": "application/json"}, '{"error": "conflict"}',
    )  # fmt: skip
    again = browser.post(url, {"name": "Conflict", "outcome": "duplicate"})
    assert say(again)[-1] == (
        'There is an expected response of the name "Conflict" already; choose another.'
    )


def test_earlier_tests_are_listed_the_latest_first(browser: Client, connection: Connection) -> None:
    first, second = run_test(connection), run_test(connection)
    assert [one.pk for one in page(browser, first).context["earlier"]] == [second.pk, first.pk]


def test_an_answer_that_never_came_is_shown_with_its_error(
    browser: Client, connection: Connection
) -> None:
    test = run_test(connection, attributes={"email": "reset@example.com"})
    shown = html(browser, test)
    assert "Not as expected." in shown
    assert "No answer came." in shown
    assert test.error_code in shown
    assert "rule_form" not in page(browser, test).context


@pytest.mark.parametrize(
    "body",
    ["<script>alert(1)</script>", "{{ email }}{% debug %}", "\u202edlrow", "x" * 20_000, "{" * 900],
)
def test_answers_of_strangers_stay_text(body: str, browser: Client, connection: Connection) -> None:
    test = make_test(connection, 200, body, "text/html")
    answer = page(browser, test)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_bytes_that_are_no_text_are_shown_as_numbers(
    browser: Client, connection: Connection
) -> None:
    test = make_test(connection, 200, "")
    ConnectionTest.objects.filter(pk=test.pk).update(response_body=b"\xff\x00\x01ok")
    assert "000000 ff 00 01 6f 6b ...ok" in html(browser, test)


def test_reporters_see_the_result_and_change_nothing(
    account: Account, connection: Connection
) -> None:
    test = run_test(connection)
    browser = login_client(create_user("Rob", account, role="Reporter"))
    shown = html(browser, test)
    assert "As expected." in shown
    assert "Make rule" not in shown
    assert make_rule(browser, test, outcome="delivered").status_code == 403
    keep = page_url("keep", connection.pk, test.pk)
    assert browser.post(keep, {"name": "x", "outcome": "delivered"}).status_code == 403


def test_results_of_another_account_are_not_found(connection: Connection) -> None:
    test = run_test(connection)
    other = Account.objects.create(name="Other", slug="other")
    browser = login_client(create_user("Olga", other, role="Editor"))
    assert page(browser, test).status_code == 404
    assert make_rule(browser, test, outcome="delivered").status_code == 404


def test_a_test_of_another_connection_is_not_found(
    browser: Client, connection: Connection, account: Account
) -> None:
    other = Connection.objects.create(account=account, name="Other")
    test = run_test(connection)
    assert browser.get(page_url("result", other.pk, test.pk)).status_code == 404


def test_the_list_of_tests_leads_to_their_results(browser: Client, connection: Connection) -> None:
    test = run_test(connection)
    answer = browser.get(f"/admin/connections/connectiontest/{test.pk}/change/")
    assert answer.headers["Location"] == page_url("result", connection.pk, test.pk)
    assert change_url(connection) in html(browser, test)
