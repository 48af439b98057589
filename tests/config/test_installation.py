"""Tests of the settings, the processes, the embedded Valkey and the response headers."""

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

from tests.timing import WAIT_SECONDS

PRINT_SETTINGS = """
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
ALL_SETTINGS = {
    "DATABASE_URL": "postgres://referrals@db.internal:5432/leads",
    "REDIS_URL": "redis://redis.internal:6379/0",
    "SECRET_KEY": "secret",
    "ENCRYPTION_KEYS": "new,old",
    "ALLOWED_HOSTS": "a.example,b.example",
    "HTTPS": "true",
    "DELIVERY_PERMITTED_NETWORKS": "10.20.0.0/16,10.30.0.0/16",
    "DELIVERY_ALLOW_HTTP": "true",
}


def environment(var: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a shell, without the settings of this test run."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**inherited, "VAR_DIR": str(var), **variables}


def run(var: Path, *arguments: str, **variables: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=settings.BASE_DIR, env=environment(var, **variables), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout


def read_settings(var: Path, **variables: str) -> dict[str, Any]:
    return dict(json.loads(run(var, "-c", PRINT_SETTINGS, **variables)))


def test_an_installation_without_settings_keeps_everything_in_one_folder(tmp_path: Path) -> None:
    printed = read_settings(tmp_path)

    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == ["encryption_key", "secret_key"]
    assert printed == {
        "database": ["django.db.backends.sqlite3", str(tmp_path / "db.sqlite3")],
        "redis": f"unix://{tmp_path / 'valkey.sock'}",
        "debug": False,
        "hosts": ["localhost", "127.0.0.1", "[::1]"],
        "keys": [(tmp_path / name).read_text() for name in ("secret_key", "encryption_key")],
        "networks": [],
        "http": False,
        "secure": [False, False, 0],
    }
    assert read_settings(tmp_path) == printed


def test_an_installation_with_all_settings_generates_nothing(tmp_path: Path) -> None:
    printed = read_settings(tmp_path, **ALL_SETTINGS)

    assert list(tmp_path.iterdir()) == []
    assert printed == {
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
    ("variables", "processes"),
    [
        ({}, "web worker tick crm valkey"),
        ({"REDIS_URL": "redis://127.0.0.1:6379"}, "web worker tick crm"),
    ],
)
def test_valkey_runs_unless_another_server_is_configured(
    tmp_path: Path, variables: dict[str, str], processes: str
) -> None:
    assert run(tmp_path, "-m", "config.processes", **variables) == f"{processes}\n"


@contextmanager
def embedded_valkey(var: Path) -> Iterator[Any]:
    """Start the server as the Procfile does; yield a client of it."""
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
        assert process.wait(timeout=WAIT_SECONDS) == 0


def test_the_embedded_valkey_keeps_its_data_across_a_restart(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as redis:
        redis.set("a", "1")
    with embedded_valkey(tmp_path) as redis:
        assert redis.get("a") == b"1"
        assert redis.config_get("port") == {"port": "0"}


@pytest.mark.django_db
def test_the_root_url_redirects_to_the_admin(client: Client) -> None:
    response = client.get("/")

    assert (response.status_code, response["Location"]) == (302, "/admin/")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/admin/", "/api/v1/openapi.json", "/nowhere"])
def test_every_response_has_the_security_headers(client: Client, path: str) -> None:
    response = client.get(path)

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
