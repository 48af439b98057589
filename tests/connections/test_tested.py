"""When a connection is tested: the newest test of exactly what it is now was good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from connections.core.messages import Response
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Rule
from connections.importers.files import dump_connection, load_connection
from connections.jobs import run_queued_test
from connections.mapping.to_rows import store_connection
from connections.models import Connection, ConnectionTest
from connections.operations.connection_tests import run_test
from connections.operations.rules_from_tests import add_rule, keep_expected_response, touch
from connections.operations.states import hold_connection, release_connection
from connections.simulator import CRM
from tests.connections.pages.helpers import change_form, change_url

pytestmark = pytest.mark.usefixtures("uncollected")


def is_tested() -> bool:
    """As the lists of connections say it; it's the same as what the pages of one say."""
    tested = Connection.objects.tested().exists()
    listed = Connection.objects.with_is_tested().get()
    assert listed.is_tested is tested  # type: ignore[attr-defined]
    return bool(tested)


def change_rules() -> None:
    """Somebody else saves other rules."""
    connection = Connection.objects.get()
    connection.response_rules.filter(outcome="delivered").update(outcome="rejected")
    touch(connection)


def test_a_result_of_what_was_there_before_does_not_count(connection: Connection, crm: CRM) -> None:
    read = Connection.objects.with_everything().get()
    change_rules()

    test = run_test(read)

    assert (test.outcome, test.is_good) == ("delivered", True)
    assert test.started_at > Connection.objects.get().changed_at
    assert not is_tested()


def test_parts_that_are_newer_than_their_connection_do_not_count(
    connection: Connection, crm: CRM
) -> None:
    Connection.objects.update(expected_test_outcome="rejected")
    read = Connection.objects.get()
    change_rules()

    assert run_test(read).is_good
    assert not is_tested()


def test_a_change_while_the_test_is_under_way_makes_it_count_no_more(
    connection: Connection, crm: CRM
) -> None:
    run_queued_test(connection.pk, None)
    assert is_tested()
    assert ConnectionTest.objects.get().connection_changed_at == connection.changed_at

    change_rules()

    assert not is_tested()


def test_a_late_result_of_older_content_says_nothing_about_todays(
    connection: Connection, crm: CRM
) -> None:
    read = Connection.objects.with_everything().get()
    touch(Connection.objects.get())
    run_queued_test(connection.pk, None)

    assert not run_test(read, attributes={"email": "nobody"}).is_good
    assert is_tested()


def test_a_test_that_does_not_know_what_it_read_does_not_count(
    connection: Connection, crm: CRM
) -> None:
    run_queued_test(connection.pk, None)
    ConnectionTest.objects.update(connection_changed_at=None)

    assert not is_tested()


@pytest.mark.parametrize(
    "changes",
    [
        {"basic__password": "another"},
        {"authorization_kind": "bearer", "bearer__token": "a token"},
        {"credentials__name": "api_key", "credentials__value": "a key"},
        {"headers__name": "Accept", "headers__value": "text/plain"},
        {"document": "{}"},
        {"sample_attributes__age": "31"},
        {"sample_attributes__first_name__omit": "1"},
        {"limit_total_timeout": "7"},
        {"test_environment": "production"},
        {"expected_test_outcome": "duplicate"},
        {"endpoints-1-url": "https://crm.example/"},
        {"endpoints-1-basic__password": "for tests"},
        {"endpoints-0-DELETE": "on"},
        {"endpoints-2-url": "https://crm.example/"},
        {"response_rules-0-status": "409"},
        {"response_rules-0-position": "3"},
        {"response_rules-0-DELETE": "on"},
        {"response_rules-2-status": "422", "response_rules-2-outcome": "rejected"},
        {"expected_responses-0-name": "New", "expected_responses-0-outcome": "delivered"},
    ],
    ids=" ".join,
)
def test_whatever_is_changed_in_the_form_is_untested(
    admin_client: Client, connection: Connection, crm: CRM, changes: dict[str, str]
) -> None:
    run_queued_test(connection.pk, None)
    form = change_form(admin_client, connection)
    form |= {name: [text] for name, text in changes.items()}

    assert admin_client.post(change_url(connection), form).status_code == 302

    assert not is_tested()


def make_rule(connection: Connection) -> None:
    add_rule(
        connection,
        rule=Rule(outcome=Outcome.REJECTED, status="404"),
        answer=Response(status=404, headers=(), body=b""),
    )


def keep(connection: Connection) -> None:
    answer = Response(status=404, headers=(), body=b"")
    keep_expected_response(connection, name="Gone", answer=answer, outcome=Outcome.REJECTED)


def load_file(connection: Connection) -> None:
    spec = load_connection(dump_connection(connection.spec()))
    store_connection(replace(spec, method="PUT"), account=connection.account)


@pytest.mark.parametrize("change", [make_rule, keep, load_file])
def test_whatever_else_changes_a_connection_makes_it_untested(
    connection: Connection, crm: CRM, change: Callable[[Connection], None]
) -> None:
    run_queued_test(connection.pk, None)

    change(Connection.objects.get())

    assert not is_tested()


def test_what_says_nothing_about_requests_and_answers_leaves_it_tested(
    admin_client: Client, connection: Connection, crm: CRM
) -> None:
    run_queued_test(connection.pk, None)

    form = change_form(admin_client, connection) | {"name": ["Another name"]}
    assert admin_client.post(change_url(connection), form).status_code == 302
    hold_connection(connection.pk, reason="Refused")
    release_connection(connection)

    assert is_tested()
