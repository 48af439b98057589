"""What load balancers ask: the process alone, or the database that every page needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis import Redis

from config.queue import heartbeats

ASK = """
import django, json
django.setup()
from django.test import Client
response = Client().get("/readyz", headers={"Host": "localhost"})
print(json.dumps([response.status_code, response.json(), response["Cache-Control"]]))
"""


def test_the_process_answers_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


def test_a_database_that_answers_is_ready_without_worker_and_tick(db: None, client: Client) -> None:
    assert heartbeats.read_heartbeats() == {}
    with CaptureQueriesContext(connection) as asked:
        response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]
    assert [one["sql"] for one in asked] == ["SELECT 1"]


def test_a_database_that_answers_is_ready_without_redis(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away: Redis = Redis.from_url(f"unix://{settings.VAR_DIR}/nobody-listens.sock")
    monkeypatch.setattr(heartbeats, "redis_connection", lambda: away)
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "url", ["sqlite:///{folder}/none/db.sqlite3", "postgres://referrals:secret@127.0.0.1:1/leads"]
)
def test_a_database_that_is_away_is_not_ready(tmp_path: Path, url: str) -> None:
    given = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": url.format(folder=tmp_path),
        "LOG_LEVEL": "CRITICAL",
    }
    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=settings.BASE_DIR, env={**os.environ, **given},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    status, content, caching = json.loads(asked.stdout)
    assert status == 503
    assert content == {"status": "not ready", "problems": ["The database does not answer."]}
    assert "no-store" in caching


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_asked_by_head_too_and_take_nothing(db: None, client: Client, path: str) -> None:
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405
