"""Tests of the status of an installation."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.queue import heartbeats
from config.queue.job_queue import QueueUnavailableError
from connections.models import Account, Campaign, Connection
from referrals.enqueue import wake_workers
from referrals.leases import claim
from referrals.models import BreakerState, Delivery
from referrals.monitoring.status import read_status
from tests.referrals.factories import LEASE, create_pending
from tests.timing import WAIT_SECONDS

NO_WORKER = "No worker was heard of for 60 seconds: start manage.py worker."
NO_TICK = "No tick was heard of for 60 seconds: start manage.py tick."
NO_REDIS = "Redis does not answer; deliveries wait until it does."


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise QueueUnavailableError

    monkeypatch.setattr(heartbeats, "read_heartbeats", refuse)


def create_due_since(
    seconds: float, campaign: Campaign, connection: Connection, count: int = 3
) -> None:
    since = timezone.now() - timedelta(seconds=seconds)
    create_pending(campaign, connection, *[f"jo{n}@example.com" for n in range(count)], due=since)


def test_an_idle_installation_is_healthy(fresh_heartbeats: None) -> None:
    status = read_status()
    assert (status.is_healthy, status.problems) == (True, ())
    assert (status.jobs_waiting, status.deliveries_waiting, status.due) == (0, 0, 0)
    assert status.oldest_due_seconds is None
    assert status.worker_heartbeat_at is not None


def test_an_installation_without_any_heartbeat_has_two_problems(db: None) -> None:
    assert read_status().problems == (NO_WORKER, NO_TICK)


@pytest.mark.parametrize(
    ("name", "problem"), [(heartbeats.WORKER, NO_WORKER), (heartbeats.TICK, NO_TICK)]
)
def test_a_process_without_a_recent_heartbeat_is_a_problem(
    fresh_heartbeats: None, redis: Any, name: str, problem: str
) -> None:
    long_ago = timezone.now() - timedelta(seconds=61)
    redis.hset(heartbeats._KEY, name, str(long_ago.timestamp()))
    assert read_status().problems == (problem,)


def test_an_installation_without_redis_has_a_problem(
    fresh_heartbeats: None, no_redis: None
) -> None:
    status = read_status()
    assert status.problems == (NO_REDIS,)
    assert (status.jobs_waiting, status.worker_heartbeat_at) == (None, None)


def test_the_status_counts_waiting_due_and_in_flight_deliveries(
    fresh_heartbeats: None, campaign: Campaign, connection: Connection
) -> None:
    create_due_since(30, campaign, connection)
    claim(limit=1, now=timezone.now(), lease=LEASE)
    wake_workers()
    status = read_status()
    assert (status.deliveries_waiting, status.due, status.in_flight) == (3, 2, 1)
    assert status.jobs_waiting == 1
    assert status.oldest_due_seconds is not None
    assert 29 <= status.oldest_due_seconds < 29 + WAIT_SECONDS
    assert status.is_healthy


def test_a_delivery_that_is_due_for_more_than_a_minute_is_a_problem(
    fresh_heartbeats: None, campaign: Campaign, connection: Connection
) -> None:
    create_due_since(61, campaign, connection)
    [problem] = read_status().problems
    found = re.fullmatch(
        r"A delivery has been due for (\d+) seconds: start more workers\.", problem
    )
    assert found
    assert 61 <= int(found[1]) < 61 + WAIT_SECONDS


@pytest.mark.parametrize("state", ["paused", "held"])
def test_deliveries_of_a_paused_or_held_connection_are_no_problem(
    fresh_heartbeats: None, campaign: Campaign, connection: Connection, state: str
) -> None:
    create_due_since(3600, campaign, connection)
    Connection.objects.update(state=state)
    status = read_status()
    assert status.is_healthy
    assert (status.deliveries_waiting, status.due) == (3, 0)
    assert {"paused": status.paused, "held": status.held}[state] == 1


def test_deliveries_that_wait_for_an_open_breaker_are_no_problem(
    fresh_heartbeats: None, campaign: Campaign, connection: Connection
) -> None:
    create_due_since(3600, campaign, connection)
    BreakerState.objects.create(pk=connection.pk, open_until=timezone.now() + timedelta(minutes=1))
    status = read_status()
    assert (status.is_healthy, status.due, status.open_breakers) == (True, 0, 1)


@pytest.mark.parametrize("limits", [{"per_second": 1}, {"in_flight": 1}])
def test_deliveries_that_wait_for_a_limit_are_no_problem(
    fresh_heartbeats: None, campaign: Campaign, connection: Connection, limits: dict[str, Any]
) -> None:
    create_due_since(3600, campaign, connection)
    Connection.objects.update(limits=limits)
    status = read_status()
    assert (status.is_healthy, status.due) == (True, 3)


def test_a_claim_with_an_expired_lease_is_a_problem(
    fresh_heartbeats: None, campaign: Campaign, connection: Connection
) -> None:
    create_due_since(3600, campaign, connection, count=1)
    claim(limit=1, now=timezone.now() - timedelta(seconds=300), lease=LEASE)
    assert Delivery.objects.filter(claimed_at__isnull=False).count() == 1
    assert not read_status().is_healthy


def test_the_status_is_serialized_as_json(fresh_heartbeats: None, account: Account) -> None:
    Connection.objects.create(account=account, name="A", state="held")
    found = json.loads(json.dumps(read_status().to_json()))
    assert found["healthy"] is True
    assert found["problems"] == []
    assert found["held"] == 1
    assert found["tick_heartbeat_at"].endswith("+00:00")
