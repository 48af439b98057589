"""Tests of the health views."""

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

GET_READYZ = """
import django, json
django.setup()
from django.test import Client
response = Client().get("/readyz", headers={"Host": "localhost"})
print(json.dumps([response.status_code, response.json(), response["Cache-Control"]]))
"""


def test_healthz_answers_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


def test_an_installation_without_worker_and_tick_is_ready(db: None, client: Client) -> None:
    assert heartbeats.read_heartbeats() == {}
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]
    assert [one["sql"] for one in queries] == ["SELECT 1"]


def test_an_installation_without_redis_is_ready(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away: Redis = Redis.from_url(f"unix://{settings.VAR_DIR}/nobody-listens.sock")
    monkeypatch.setattr(heartbeats, "redis_connection", lambda: away)
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "url", ["sqlite:///{folder}/none/db.sqlite3", "postgres://referrals:secret@127.0.0.1:1/leads"]
)
def test_an_installation_without_a_database_is_not_ready(tmp_path: Path, url: str) -> None:
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": url.format(folder=tmp_path),
        "LOG_LEVEL": "CRITICAL",
    }
    process = subprocess.run(
        [sys.executable, "-c", GET_READYZ], cwd=settings.BASE_DIR,
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    status, content, caching = json.loads(process.stdout)
    assert status == 503
    assert content == {"status": "not ready", "problems": ["The database does not answer."]}
    assert "no-store" in caching


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_views_answer_head_and_refuse_post(db: None, client: Client, path: str) -> None:
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405
