"""Whether the installation works: each thing that can be wrong, and what is no fault at all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis.exceptions import RedisError

from config.queue import heartbeats
from config.queue.job_queue import wake_workers
from connections.models import Account, Campaign, Connection
from referrals.leases import claim
from referrals.models import BreakerState, Delivery
from referrals.monitoring.status import read_status
from tests.referrals.factories import LEASE, waiting

NO_WORKER = "No worker was heard of for 60 seconds: start manage.py worker."
NO_TICK = "No tick was heard of for 60 seconds: start manage.py tick."
NO_REDIS = "Redis does not answer; deliveries wait until it does."


@pytest.fixture
def alive(db: None) -> None:
    heartbeats.record_heartbeat(heartbeats.WORKER)
    heartbeats.record_heartbeat(heartbeats.TICK)


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise RedisError("away")

    monkeypatch.setattr(heartbeats, "read_heartbeats", refuse)


def wait_for(seconds: float, campaign: Campaign, connection: Connection, count: int = 3) -> None:
    since = timezone.now() - timedelta(seconds=seconds)
    waiting(campaign, connection, *[f"jo{n}@example.com" for n in range(count)], due=since)


def test_an_idle_installation_is_healthy(alive: None) -> None:
    status = read_status()
    assert (status.is_healthy, status.problems) == (True, ())
    assert (status.jobs_waiting, status.deliveries_waiting, status.due) == (0, 0, 0)
    assert status.oldest_due_seconds is None
    assert status.worker_beat is not None


def test_nobody_was_ever_heard_of(db: None) -> None:
    assert read_status().problems == (NO_WORKER, NO_TICK)


@pytest.mark.parametrize(
    ("name", "problem"), [(heartbeats.WORKER, NO_WORKER), (heartbeats.TICK, NO_TICK)]
)
def test_one_has_fallen_silent(alive: None, redis: Any, name: str, problem: str) -> None:
    long_ago = timezone.now() - timedelta(seconds=61)
    redis.hset(heartbeats._KEY, name, str(long_ago.timestamp()))
    assert read_status().problems == (problem,)


def test_redis_is_away(alive: None, no_redis: None) -> None:
    status = read_status()
    assert status.problems == (NO_REDIS,)
    assert (status.jobs_waiting, status.worker_beat) == (None, None)


def test_what_waits_is_counted(alive: None, campaign: Campaign, connection: Connection) -> None:
    wait_for(30, campaign, connection)
    claim(limit=1, now=timezone.now(), lease=LEASE)
    wake_workers()
    status = read_status()
    assert (status.deliveries_waiting, status.due, status.in_flight) == (3, 2, 1)
    assert status.jobs_waiting == 1
    assert status.oldest_due_seconds is not None
    assert 29 <= status.oldest_due_seconds < 50
    assert status.is_healthy


def test_what_waits_for_more_than_a_minute_is_a_problem(
    alive: None, campaign: Campaign, connection: Connection
) -> None:
    wait_for(90.2, campaign, connection)
    [problem] = read_status().problems
    assert problem.startswith("A delivery has been due for 9")
    assert problem.endswith(" seconds: start more workers.")


@pytest.mark.parametrize("state", ["paused", "held"])
def test_what_waits_for_a_person_is_no_problem(
    alive: None, campaign: Campaign, connection: Connection, state: str
) -> None:
    wait_for(3600, campaign, connection)
    Connection.objects.update(state=state)
    status = read_status()
    assert status.is_healthy
    assert (status.deliveries_waiting, status.due) == (3, 0)
    assert {"paused": status.paused, "held": status.held}[state] == 1


def test_what_waits_for_a_resting_connection_is_no_problem(
    alive: None, campaign: Campaign, connection: Connection
) -> None:
    wait_for(3600, campaign, connection)
    BreakerState.objects.create(pk=connection.pk, open_until=timezone.now() + timedelta(minutes=1))
    status = read_status()
    assert (status.is_healthy, status.due, status.resting) == (True, 0, 1)


@pytest.mark.parametrize("limits", [{"per_second": 1}, {"in_flight": 1}])
def test_what_waits_for_a_limit_is_no_problem(
    alive: None, campaign: Campaign, connection: Connection, limits: dict[str, Any]
) -> None:
    wait_for(3600, campaign, connection)
    Connection.objects.update(limits=limits)
    status = read_status()
    assert (status.is_healthy, status.due) == (True, 3)


def test_an_attempt_that_nobody_finished_is_a_problem(
    alive: None, campaign: Campaign, connection: Connection
) -> None:
    wait_for(3600, campaign, connection, count=1)
    claim(limit=1, now=timezone.now() - timedelta(seconds=300), lease=LEASE)
    assert Delivery.objects.in_flight().count() == 1
    assert not read_status().is_healthy


def test_the_status_is_json(alive: None, account: Account) -> None:
    Connection.objects.create(account=account, name="A", state="held")
    found = json.loads(json.dumps(read_status().to_json()))
    assert found["healthy"] is True
    assert found["problems"] == []
    assert found["held"] == 1
    assert found["tick_beat"].endswith("+00:00")
