"""An installation without any setting, and one with all of them, as their processes see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

LOOK = """
import json
from config import settings as s
print(json.dumps({
    "database": [s.DATABASES["default"]["ENGINE"], str(s.DATABASES["default"]["NAME"])],
    "redis": s.REDIS_URL, "debug": s.DEBUG, "hosts": s.ALLOWED_HOSTS,
    "keys": [s.SECRET_KEY, *s.ENCRYPTION_KEYS],
    "networks": s.DELIVERY_PERMITTED_NETWORKS, "http": s.DELIVERY_ALLOW_HTTP,
    "secure": [s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.SECURE_HSTS_SECONDS],
}))
"""
GIVEN = {
    "DATABASE_URL": "postgres://referrals@db.internal:5432/leads",
    "REDIS_URL": "redis://redis.internal:6379/0",
    "SECRET_KEY": "secret",
    "ENCRYPTION_KEYS": "new,old",
    "ALLOWED_HOSTS": "a.example,b.example",
    "HTTPS": "true",
    "DELIVERY_PERMITTED_NETWORKS": "10.20.0.0/16,10.30.0.0/16",
    "DELIVERY_ALLOW_HTTP": "true",
}


def environment(var: Path, **given: str) -> dict[str, str]:
    """What a shell has, without the settings of this test run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "VAR_DIR": str(var), **given}


def run(var: Path, *arguments: str, **given: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=settings.BASE_DIR, env=environment(var, **given), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout


def look(var: Path, **given: str) -> dict[str, Any]:
    return dict(json.loads(run(var, "-c", LOOK, **given)))


def test_without_settings_everything_is_kept_in_one_folder(tmp_path: Path) -> None:
    found = look(tmp_path)

    kept = sorted(file.name for file in tmp_path.iterdir())
    assert kept == ["encryption_key", "secret_key"]
    assert found == {
        "database": ["django.db.backends.sqlite3", str(tmp_path / "db.sqlite3")],
        "redis": f"unix://{tmp_path / 'valkey.sock'}",
        "debug": False,
        "hosts": ["localhost", "127.0.0.1", "[::1]"],
        "keys": [(tmp_path / name).read_text() for name in ("secret_key", "encryption_key")],
        "networks": [],
        "http": False,
        "secure": [False, False, 0],
    }
    assert look(tmp_path) == found


def test_with_settings_nothing_is_generated(tmp_path: Path) -> None:
    found = look(tmp_path, **GIVEN)

    assert list(tmp_path.iterdir()) == []
    assert found == {
        "database": ["django.db.backends.postgresql", "leads"],
        "redis": "redis://redis.internal:6379/0",
        "debug": False,
        "hosts": ["a.example", "b.example"],
        "keys": ["secret", "new", "old"],
        "networks": ["10.20.0.0/16", "10.30.0.0/16"],
        "http": True,
        "secure": [True, True, 31_536_000],
    }


@pytest.mark.parametrize(
    ("given", "processes"),
    [
        ({}, "web worker tick crm valkey"),
        ({"REDIS_URL": "redis://127.0.0.1:6379"}, "web worker tick crm"),
    ],
)
def test_valkey_runs_where_no_other_server_is_named(
    tmp_path: Path, given: dict[str, str], processes: str
) -> None:
    assert run(tmp_path, "-m", "config.processes", **given) == f"{processes}\n"


@contextmanager
def embedded_valkey(var: Path) -> Iterator[Any]:
    """The server as the Procfile starts it, and a connection to it."""
    command = [sys.executable, "-m", "config.valkey"]
    url = f"unix://{var / 'valkey.sock'}"
    retry = Retry(ConstantBackoff(0.02), 1000, supported_errors=(RedisConnectionError,))
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment(var), stdout=subprocess.DEVNULL
    )
    try:
        with Redis.from_url(url, retry=retry) as client:
            client.ping()
            yield client
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_the_embedded_valkey_keeps_what_it_was_told(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as redis:
        redis.set("a", "1")
    with embedded_valkey(tmp_path) as redis:
        assert redis.get("a") == b"1"
        assert redis.config_get("port") == {"port": "0"}


@pytest.mark.django_db
def test_the_front_door_leads_to_the_admin(client: Client) -> None:
    response = client.get("/")

    assert (response.status_code, response["Location"]) == (302, "/admin/")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/admin/", "/api/v1/openapi.json", "/nowhere"])
def test_every_answer_forbids_what_no_page_needs(client: Client, address: str) -> None:
    response = client.get(address)

    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    policy = response["Content-Security-Policy"]
    assert sorted(policy.split("; ")) == [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "script-src 'self'",
        "style-src 'self'",
    ]
