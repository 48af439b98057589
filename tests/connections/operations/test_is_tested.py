"""Tests of when a connection is tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from connections import jobs
from connections.core.messages import Response
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Rule
from connections.importers.files import dump_connection, load_connection
from connections.mapping.to_rows import store_connection
from connections.mapping.to_spec import build_spec
from connections.models import Connection, ConnectionTest
from connections.operations.changes import touch
from connections.operations.connection_tests import send_test
from connections.operations.pause_hold_release import hold_connection, release_connection
from connections.operations.rules_from_tests import add_rule, keep_expected_response
from connections.simulator import CRM
from tests.connections.pages.helpers import change_form, change_url
from tests.users import SOMEBODY

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def is_tested() -> bool:
    """Whether the connection is tested; its lists and its page agree."""
    tested = Connection.objects.tested().exists()
    listed = Connection.objects.with_is_tested().get()
    assert listed.is_tested is tested
    return bool(tested)


def change_rules() -> None:
    """Save other rules, as somebody else would."""
    connection = Connection.objects.get()
    connection.response_rules.filter(outcome="delivered").update(outcome="rejected")
    touch(connection)


def test_a_test_of_earlier_rules_does_not_count(connection: Connection, crm: CRM) -> None:
    read = Connection.objects.with_everything().get()
    change_rules()

    test = send_test(read)

    assert (test.outcome, test.is_good) == ("delivered", True)
    assert test.started_at > Connection.objects.get().changed_at
    assert not is_tested()


def test_a_test_with_rules_newer_than_its_connection_does_not_count(
    connection: Connection, crm: CRM
) -> None:
    Connection.objects.update(expected_test_outcome="rejected")
    read = Connection.objects.get()
    change_rules()

    assert send_test(read).is_good
    assert not is_tested()


def test_a_change_after_a_test_makes_the_connection_untested(
    connection: Connection, crm: CRM
) -> None:
    jobs.test_connection(connection.pk, None)
    assert is_tested()
    assert ConnectionTest.objects.get().connection_changed_at == connection.changed_at

    change_rules()

    assert not is_tested()


def test_a_late_result_of_older_content_leaves_the_connection_tested(
    connection: Connection, crm: CRM
) -> None:
    read = Connection.objects.with_everything().get()
    touch(Connection.objects.get())
    jobs.test_connection(connection.pk, None)

    assert not send_test(read, attributes={"email": "nobody"}).is_good
    assert is_tested()


def test_a_test_without_the_time_of_its_content_does_not_count(
    connection: Connection, crm: CRM
) -> None:
    jobs.test_connection(connection.pk, None)
    ConnectionTest.objects.update(connection_changed_at=None)

    assert not is_tested()


def make_rule(connection: Connection) -> None:
    add_rule(
        connection,
        rule=Rule(outcome=Outcome.REJECTED, status="404"),
        response=Response(status=404, headers=(), body=b""),
        by=SOMEBODY,
    )


def keep_response(connection: Connection) -> None:
    response = Response(status=404, headers=(), body=b"")
    keep_expected_response(
        connection, name="Gone", response=response, outcome=Outcome.REJECTED, by=SOMEBODY
    )


def load_file(connection: Connection) -> None:
    spec = load_connection(dump_connection(build_spec(connection)))
    store_connection(replace(spec, method="PUT"), account=connection.account)


@pytest.mark.parametrize("change", [make_rule, keep_response, load_file])
def test_a_rule_a_response_or_a_file_makes_the_connection_untested(
    connection: Connection, crm: CRM, change: Callable[[Connection], None]
) -> None:
    jobs.test_connection(connection.pk, None)

    change(Connection.objects.get())

    assert not is_tested()


def test_a_new_name_and_state_leave_the_connection_tested(
    admin_client: Client, connection: Connection, crm: CRM
) -> None:
    jobs.test_connection(connection.pk, None)

    form = change_form(admin_client, connection) | {"name": ["Another name"]}
    assert admin_client.post(change_url(connection), form).status_code == 302
    hold_connection(connection.pk, reason="Refused", by=SOMEBODY)
    release_connection(connection, by=SOMEBODY)

    assert is_tested()
