"""What load balancers ask: the process alone, or all that it needs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from redis.exceptions import RedisError

from referrals import heartbeats
from tests.referrals.test_health import NO_REDIS, NO_TICK, NO_WORKER


@pytest.fixture
def alive() -> None:
    heartbeats.beat(heartbeats.WORKER)
    heartbeats.beat(heartbeats.TICK)


def test_the_process_answers_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


def test_an_installation_that_works_is_ready(db: None, alive: None, client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


def test_one_without_worker_and_tick_is_not(db: None, client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "problems": [NO_WORKER, NO_TICK]}


def test_one_without_redis_is_not(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Any:
        raise RedisError("redis://user:secret@10.0.0.1 refused")

    monkeypatch.setattr(heartbeats, "last_beats", refuse)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["problems"] == [NO_REDIS]
    assert b"secret" not in response.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_asked_by_head_too_and_take_nothing(
    db: None, alive: None, client: Client, path: str
) -> None:
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405
