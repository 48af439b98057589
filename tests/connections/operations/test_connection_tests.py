"""Tests of sending, queueing and withdrawing tests of a connection."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from connections.core.errors import DescriptionError
from connections.models import Connection, ConnectionTest, Endpoint
from connections.models.history import Door, HistoryEntry
from connections.operations.connection_tests import (
    find_test,
    queue_test,
    run_test,
    send_test,
    withdraw_test,
)
from connections.operations.history import Actor
from connections.simulator import CRM
from tests.worker import run_jobs


def test_a_test_sends_the_sample_to_the_testing_endpoint_and_is_stored(
    connection: Connection, crm: CRM, admin_user: User
) -> None:
    test = send_test(connection, admin_user)

    [received] = crm.received()
    assert (received.path, received.email) == (
        "/3.0/lists/testing/members",
        "john.smith@example.com",
    )
    assert ConnectionTest.objects.get() == test
    assert (test.environment, test.outcome, test.is_good) == ("testing", "delivered", True)
    assert (test.response_status, test.requested_by) == (200, admin_user)
    assert test.attributes["email"] == "john.smith@example.com"
    assert dict(test.request().headers)["Authorization"] == "Basic ••••"
    assert "demo-key" not in str(ConnectionTest.objects.values().get())
    assert Connection.objects.tested().get() == connection


def test_a_test_sends_the_given_attributes_to_the_given_environment(
    connection: Connection, crm: CRM
) -> None:
    test = send_test(connection, environment="production", attributes={"email": "exists@a.com"})

    assert (crm.received()[0].path, crm.received()[0].email) == (
        "/3.0/lists/production/members",
        "exists@a.com",
    )
    assert (test.environment, test.outcome, test.is_good) == ("production", "duplicate", True)


@pytest.mark.parametrize(
    ("expected", "email", "is_good"),
    [
        ("", "jo@example.com", True),
        ("", "exists@example.com", True),
        ("", "nobody", False),
        ("rejected", "nobody", True),
        ("rejected", "jo@example.com", False),
        ("delivered", "exists@example.com", False),
    ],
)
def test_a_test_is_good_if_its_outcome_is_the_expected_one(
    connection: Connection, crm: CRM, expected: str, email: str, is_good: bool
) -> None:
    connection.expected_test_outcome = expected

    test = send_test(connection, attributes={"email": email})

    assert (test.is_good, test.expected_outcome) == (is_good, expected)
    assert Connection.objects.tested().exists() is is_good


def test_a_change_makes_a_connection_untested(connection: Connection, crm: CRM) -> None:
    test = send_test(connection)
    assert Connection.objects.with_is_tested().get().is_tested

    Connection.objects.update(changed_at=test.started_at + timedelta(seconds=1))

    assert not Connection.objects.tested().exists()
    assert not Connection.objects.with_is_tested().get().is_tested


def test_only_the_newest_test_decides_whether_a_connection_is_tested(
    connection: Connection, crm: CRM
) -> None:
    send_test(connection)
    send_test(connection, attributes={"email": "nobody"})
    assert not Connection.objects.tested().exists()
    assert not Connection.objects.with_is_tested().get().is_tested

    send_test(connection, attributes={"email": "jo@example.com"})
    assert Connection.objects.tested().get() == connection


def test_a_test_without_an_endpoint_is_refused_with_advice(
    connection: Connection, crm: CRM
) -> None:
    Endpoint.objects.filter(environment="testing").delete()

    with pytest.raises(DescriptionError) as refusal:
        send_test(Connection.objects.get())

    assert refusal.value.field == "endpoints.testing"
    assert refusal.value.message == (
        "The connection has no endpoint for testing: add one, or choose another environment for "
        "tests under Settings."
    )
    assert (crm.received(), ConnectionTest.objects.count()) == ([], 0)


def test_a_test_run_in_this_process_is_recorded_with_its_outcome(
    connection: Connection, crm: CRM, admin_user: User
) -> None:
    test = run_test(
        connection, by=Actor(door=Door.API, user=admin_user), attributes={"email": "nobody"}
    )

    assert (test.requested_by, test.outcome) == (admin_user, "rejected")
    entry = HistoryEntry.objects.get()
    assert (entry.object_id, entry.user, entry.door) == (str(connection.pk), admin_user, Door.API)
    assert entry.message == "Tested (testing): rejected."


def test_a_queued_test_is_recorded_once(connection: Connection, crm: CRM, admin_user: User) -> None:
    queue_test(connection, by=Actor(door=Door.ADMIN, user=admin_user))
    run_jobs()

    assert ConnectionTest.objects.get().requested_by == admin_user
    entry = HistoryEntry.objects.get()
    assert (entry.object_id, entry.user, entry.door) == (str(connection.pk), admin_user, Door.ADMIN)
    assert entry.message == "Tested (testing)."


def test_a_test_queued_by_a_command_has_no_user(connection: Connection, crm: CRM) -> None:
    queue_test(connection, by=Actor(door=Door.COMMAND, login="root"))
    run_jobs()

    assert ConnectionTest.objects.get().requested_by is None


def test_a_queued_test_is_found_until_its_result_is_known(connection: Connection, crm: CRM) -> None:
    job_id = queue_test(connection, by=Actor(door=Door.COMMAND))

    queued = find_test(job_id)
    assert queued is not None
    assert (queued.connection_id, queued.state, queued.test_id) == (connection.pk, "waiting", None)
    run_jobs()
    done = find_test(job_id)
    assert done is not None
    assert (done.state, done.test_id) == ("finished", ConnectionTest.objects.get().pk)
    assert done.has_live_worker


def test_a_withdrawn_test_is_not_sent(connection: Connection, crm: CRM) -> None:
    job_id = queue_test(connection, by=Actor(door=Door.COMMAND))

    assert withdraw_test(job_id)
    assert not withdraw_test(job_id)
    run_jobs()

    assert crm.received() == []


def test_a_connection_without_an_endpoint_is_not_queued(connection: Connection) -> None:
    Endpoint.objects.filter(environment="testing").delete()

    with pytest.raises(DescriptionError):
        queue_test(Connection.objects.get(), by=Actor(door=Door.COMMAND))

    assert not HistoryEntry.objects.exists()


def test_a_queued_test_is_neither_found_nor_withdrawn_without_redis(redis_down: None) -> None:
    assert find_test("a-job") is None
    assert not withdraw_test("a-job")
