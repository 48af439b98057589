"""Tests of recording the results of exchanges."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import OperationalError
from django.utils import timezone
from django_rq import get_queue

from connections.core.response.outcomes import Outcome
from connections.models import Account, Connection, TechnicalContact
from referrals.jobs import notify
from referrals.models import BreakerState
from referrals.throttling import recorder as module
from referrals.throttling.breaker import INITIAL_COOLDOWN, ExchangeResult
from referrals.throttling.breaker_rows import to_domain
from referrals.throttling.recorder import HealthRecorder
from tests.referrals.factories import run_in_threads
from tests.timing import WAIT_SECONDS

GOOD = ExchangeResult(outcome=Outcome.DELIVERED)
REFUSED = ExchangeResult(outcome=Outcome.UNAVAILABLE, is_network_failure=True, reason="refused.")
UNAUTHORIZED = ExchangeResult(outcome=Outcome.UNAUTHORIZED, reason="API Key Invalid")


@pytest.fixture
def other(account: Account) -> Connection:
    return Connection.objects.create(account=account, name="Other")


def recorder_with(connection: Connection, *results: ExchangeResult) -> HealthRecorder:
    recorder = HealthRecorder()
    for result in results:
        recorder.add(connection.pk, result)
    return recorder


def notifications() -> list[list[Any]]:
    """Return the arguments of the queued notify jobs."""
    jobs = get_queue("deliveries").jobs
    return [list(job.args) for job in jobs if job.func_name == "referrals.jobs.notify"]


def test_successes_are_not_written_one_by_one(connection: Connection) -> None:
    recorder_with(connection, GOOD, GOOD).flush_if_due()
    assert not BreakerState.objects.exists()


def test_successes_are_written_within_a_second(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_with(connection, GOOD, GOOD)
    monkeypatch.setattr(recorder, "_flushed_at", recorder._flushed_at - 1.01)
    recorder.flush_if_due()
    [bucket] = to_domain(BreakerState.objects.get()).window
    assert (bucket.exchanges, bucket.unavailable) == (2, 0)


def test_failures_are_written_at_once(connection: Connection, other: Connection) -> None:
    recorder = recorder_with(connection, GOOD, REFUSED)
    recorder.add(other.pk, GOOD)
    recorder.flush_if_due()
    found = {row.pk: row.consecutive_failures for row in BreakerState.objects.all()}
    assert found == {connection.pk: 1, other.pk: 0}


def test_a_flushed_result_is_not_flushed_again(connection: Connection) -> None:
    recorder = recorder_with(connection, REFUSED)
    recorder.flush()
    recorder.flush()
    assert BreakerState.objects.get().consecutive_failures == 1


def test_failures_add_up_over_workers_and_slices(connection: Connection) -> None:
    for _ in range(4):
        recorder_with(connection, REFUSED).flush()
    assert notifications() == []

    recorder_with(connection, REFUSED).flush()
    row = BreakerState.objects.get()
    assert row.open_until is not None
    assert row.cooldown_seconds == INITIAL_COOLDOWN.total_seconds()
    assert notifications() == [[connection.pk, "opened", "refused."]]


def test_the_recorder_leaves_other_connections_alone(
    connection: Connection, other: Connection
) -> None:
    BreakerState.objects.create(pk=other.pk, consecutive_failures=4)
    recorder_with(connection, *[REFUSED] * 5).flush()
    assert BreakerState.objects.get(pk=other.pk).consecutive_failures == 4


def test_the_recorder_keeps_tokens_and_times_of_notifications(connection: Connection) -> None:
    notified_at = {"opened": timezone.now().isoformat()}
    BreakerState.objects.create(pk=connection.pk, tokens=0.25, notified_at=notified_at)
    recorder_with(connection, REFUSED).flush()
    row = BreakerState.objects.get()
    assert (row.tokens, row.notified_at) == (0.25, notified_at)


def test_refused_credentials_hold_the_connection_with_the_reason(connection: Connection) -> None:
    recorder_with(connection, UNAUTHORIZED, UNAUTHORIZED).flush()
    assert Connection.objects.get().state == Connection.State.ACTIVE

    recorder_with(connection, UNAUTHORIZED).flush()
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("held", "API Key Invalid")
    assert notifications() == [[connection.pk, "held", "API Key Invalid"]]


def test_the_newest_reason_is_stored_and_mailed(connection: Connection) -> None:
    TechnicalContact.objects.create(connection=connection, name="Jo", email="jo@crm.example")
    newest = replace(UNAUTHORIZED, reason="API Key Revoked")
    recorder_with(connection, UNAUTHORIZED, UNAUTHORIZED, newest, GOOD).flush()

    assert Connection.objects.get().state_reason == "API Key Revoked"
    [arguments] = notifications()
    notify(*arguments)
    [message] = mail.outbox
    assert "API Key Revoked" in message.body
    assert "API Key Invalid" not in message.body


def test_refusals_in_flight_when_a_connection_is_held_notify_once(connection: Connection) -> None:
    recorder_with(connection, *[UNAUTHORIZED] * 20).flush()
    recorder_with(connection, *[UNAUTHORIZED] * 20).flush()
    assert len(notifications()) == 1


def test_a_paused_connection_stays_paused(connection: Connection) -> None:
    Connection.objects.update(state=Connection.State.PAUSED)
    recorder_with(connection, *[UNAUTHORIZED] * 3).flush()
    assert Connection.objects.get().state == Connection.State.PAUSED
    assert notifications() == []


def test_closing_a_breaker_notifies_people(connection: Connection) -> None:
    BreakerState.objects.create(
        pk=connection.pk, open_until=timezone.now(), cooldown_seconds=30, consecutive_successes=2
    )
    recorder_with(
        connection, ExchangeResult(outcome=Outcome.DELIVERED, is_trial=True)
    ).flush_if_due()
    row = BreakerState.objects.get()
    assert (row.open_until, row.cooldown_seconds, row.consecutive_successes) == (
        None,
        None,
        0,
    )
    assert row.closed_at is not None
    assert notifications() == [[connection.pk, "closed", ""]]


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_refusals_hold_once_and_notify_once(
    connection: Connection,
) -> None:
    together = Barrier(2)

    def work() -> None:
        recorder = recorder_with(connection, *[UNAUTHORIZED] * 3)
        together.wait(WAIT_SECONDS)
        recorder.flush()

    run_in_threads(work, work)

    assert Connection.objects.get().state == Connection.State.HELD
    assert BreakerState.objects.get().consecutive_unauthorized == 6
    assert len(notifications()) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_connections_never_deadlock(
    connection: Connection, other: Connection
) -> None:
    together = Barrier(2)

    def work(first: Connection, second: Connection) -> None:
        together.wait(WAIT_SECONDS)
        for _ in range(20):
            recorder = recorder_with(first, REFUSED)
            recorder.add(second.pk, REFUSED)
            recorder.flush()

    run_in_threads(lambda: work(connection, other), lambda: work(other, connection))

    assert len([event for _, event, _ in notifications() if event == "opened"]) == 2


@pytest.mark.django_db(transaction=True)
def test_an_outage_of_the_database_loses_no_result(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = recorder_with(connection, REFUSED, REFUSED)
    with monkeypatch.context() as away:
        away.setattr(module, "_store", refuse)
        recorder.flush()
    assert "could not be written" in caplog.text

    recorder.add(connection.pk, REFUSED)
    recorder.flush()
    assert BreakerState.objects.get().consecutive_failures == 3


def refuse(*_: Any) -> None:
    raise OperationalError("the connection is closed")
