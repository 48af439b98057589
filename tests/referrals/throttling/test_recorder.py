"""What the pump learns while it delivers: bad news at once, one hold, one notice of it."""

from __future__ import annotations

from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_rq import get_queue

from connections.core.response.outcomes import Outcome
from connections.models import Account, Connection
from referrals.models import BreakerState
from referrals.throttling import recorder
from referrals.throttling.breaker import INITIAL_COOLDOWN, ExchangeResult
from referrals.throttling.recorder import HealthRecorder
from tests.referrals.factories import in_threads

GOOD = ExchangeResult(outcome=Outcome.DELIVERED)
REFUSED = ExchangeResult(outcome=Outcome.UNAVAILABLE, is_network_failure=True, reason="refused.")
UNAUTHORIZED = ExchangeResult(outcome=Outcome.UNAUTHORIZED, reason="API Key Invalid")
_MAX_SECONDS = 20


@pytest.fixture
def other(account: Account) -> Connection:
    return Connection.objects.create(account=account, name="Other")


def watch(connection: Connection, *exchange_results: ExchangeResult) -> HealthRecorder:
    made = HealthRecorder()
    for exchange_result in exchange_results:
        made.see(connection.pk, exchange_result)
    return made


def announced() -> list[list[Any]]:
    """What people are to be told, from the queue."""
    jobs = get_queue("deliveries").jobs
    return [list(job.args) for job in jobs if job.func_name == "referrals.jobs.tell"]


def test_good_news_waits_for_company(connection: Connection) -> None:
    watch(connection, GOOD, GOOD).write_if_due()
    assert not BreakerState.objects.exists()


def test_good_news_is_written_within_a_second(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watch(connection, GOOD, GOOD)
    monkeypatch.setattr(made, "_written_at", made._written_at - 1.01)
    made.write_if_due()
    [minute] = BreakerState.objects.get().to_domain().window
    assert (minute.exchanges, minute.unavailable) == (2, 0)


def test_bad_news_is_written_at_once(connection: Connection, other: Connection) -> None:
    made = watch(connection, GOOD, REFUSED)
    made.see(other.pk, GOOD)
    made.write_if_due()
    found = {row.pk: row.consecutive_failures for row in BreakerState.objects.all()}
    assert found == {connection.pk: 1, other.pk: 0}


def test_what_was_written_is_not_written_again(connection: Connection) -> None:
    made = watch(connection, REFUSED)
    made.write()
    made.write()
    assert BreakerState.objects.get().consecutive_failures == 1


def test_failures_add_up_over_workers_and_slices(connection: Connection) -> None:
    for _ in range(4):
        watch(connection, REFUSED).write()
    assert announced() == []

    watch(connection, REFUSED).write()
    health = BreakerState.objects.get()
    assert health.open_until is not None
    assert health.cooldown_seconds == INITIAL_COOLDOWN.total_seconds()
    assert announced() == [[connection.pk, "opened", "refused."]]


def test_it_never_touches_other_connections(connection: Connection, other: Connection) -> None:
    BreakerState.objects.create(pk=other.pk, consecutive_failures=4)
    watch(connection, *[REFUSED] * 5).write()
    assert BreakerState.objects.get(pk=other.pk).consecutive_failures == 4


def test_it_keeps_tokens_and_what_was_told(connection: Connection) -> None:
    notified_at = {"opened": timezone.now().isoformat()}
    BreakerState.objects.create(pk=connection.pk, tokens=0.25, notified_at=notified_at)
    watch(connection, REFUSED).write()
    health = BreakerState.objects.get()
    assert (health.tokens, health.notified_at) == (0.25, notified_at)


def test_refused_credentials_hold_the_connection_with_the_reason(connection: Connection) -> None:
    watch(connection, UNAUTHORIZED, UNAUTHORIZED).write()
    assert Connection.objects.get().state == Connection.State.ACTIVE

    watch(connection, UNAUTHORIZED).write()
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("held", "API Key Invalid")
    assert announced() == [[connection.pk, "held", "API Key Invalid"]]


def test_what_was_in_flight_when_it_was_held_holds_it_once(connection: Connection) -> None:
    watch(connection, *[UNAUTHORIZED] * 20).write()
    watch(connection, *[UNAUTHORIZED] * 20).write()
    assert len(announced()) == 1


def test_a_connection_that_a_person_paused_stays_paused(connection: Connection) -> None:
    Connection.objects.update(state=Connection.State.PAUSED)
    watch(connection, *[UNAUTHORIZED] * 3).write()
    assert Connection.objects.get().state == Connection.State.PAUSED
    assert announced() == []


def test_recovery_is_announced(connection: Connection) -> None:
    BreakerState.objects.create(
        pk=connection.pk, open_until=timezone.now(), cooldown_seconds=30, consecutive_successes=2
    )
    watch(connection, ExchangeResult(outcome=Outcome.DELIVERED, is_trial=True)).write_if_due()
    health = BreakerState.objects.get()
    assert (health.open_until, health.cooldown_seconds, health.consecutive_successes) == (
        None,
        None,
        0,
    )
    assert health.closed_at is not None
    assert announced() == [[connection.pk, "closed", ""]]


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_bad_news_hold_once_and_tell_once(
    connection: Connection,
) -> None:
    together = Barrier(2)

    def work() -> None:
        made = watch(connection, *[UNAUTHORIZED] * 3)
        together.wait(_MAX_SECONDS)
        made.write()

    in_threads(work, work)

    assert Connection.objects.get().state == Connection.State.HELD
    assert BreakerState.objects.get().consecutive_unauthorized == 6
    assert len(announced()) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_connections_never_wait_for_each_other(
    connection: Connection, other: Connection
) -> None:
    together = Barrier(2)

    def work(first: Connection, second: Connection) -> None:
        together.wait(_MAX_SECONDS)
        for _ in range(20):
            made = watch(first, REFUSED)
            made.see(second.pk, REFUSED)
            made.write()

    in_threads(lambda: work(connection, other), lambda: work(other, connection))

    assert len([event for _, event, _ in announced() if event == "opened"]) == 2


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_costs_no_observation(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = watch(connection, REFUSED, REFUSED)
    with monkeypatch.context() as away:
        away.setattr(recorder, "_apply", refuse)
        made.write()
    assert "could not be written" in caplog.text

    made.see(connection.pk, REFUSED)
    made.write()
    assert BreakerState.objects.get().consecutive_failures == 3


def refuse(*_: Any) -> None:
    raise OperationalError("the connection is closed")
