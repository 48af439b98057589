"""A whole installation of its own for one test: database, Valkey, web, workers, tick and CRM.

Real processes on free ports; the test starts, kills and restarts them. Knows no test.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from connections.simulator import CRM
from tests.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
_ANSWER_SECONDS = 30


class Stack:
    """One installation; `settings` become environment variables of its processes."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.crm = CRM(slow_seconds=0.5, hang_seconds=60)
        self.valkey = Valkey(folder / "valkey.sock")
        self.port = _free_port()
        self._database = _Database(folder)
        self._settings = settings
        self._processes: list[subprocess.Popen[bytes]] = []
        self.demo: dict[str, str] = {}

    def __enter__(self) -> Self:
        (self.folder / "static").mkdir()
        try:
            self.crm.start()
            self.valkey.start()
            self._database.create()
            self.manage("migrate", "--verbosity", "0")
            self.demo = json.loads(self.manage("demo", "--json", "--crm", self.crm.url))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes and forget the database, however far all of it had come."""
        for process in self._processes:
            process.kill()
            process.wait()
        self.valkey.stop()
        self.crm.stop()
        self._database.drop()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of every process of the installation."""
        return {
            **os.environ,
            "VAR_DIR": str(self.folder),
            "DATABASE_URL": self._database.url,
            "REDIS_URL": self.valkey.url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
            **self._settings,
        }

    def manage(self, *arguments: str) -> str:
        """Run a command to its end and return what it printed."""
        finished = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that runs until it is stopped."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment
        )
        self._processes.append(process)
        return process

    def start_web(self) -> subprocess.Popen[bytes]:
        """Start gunicorn and wait until it answers."""
        process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "config.wsgi", "--bind",
                f"127.0.0.1:{self.port}", "--threads", "4", "--log-level", "warning",
            ],
            cwd=ROOT, env=self.environment,
        )  # fmt: skip
        self._processes.append(process)
        self.until(self._web_answers)
        return process

    def call(self, method: str, path: str, content: object = None) -> tuple[int, Any]:
        """One request to the intake API: the status and the parsed answer."""
        headers = {"Authorization": f"Bearer {self.demo['intake_key']}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request(method, path, json.dumps(content).encode(), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def post(self, referrals: object) -> tuple[int, Any]:
        """Hand in referrals for the demo's first campaign."""
        path = f"/api/v1/campaigns/{self.demo['campaign_key']}/referrals"
        return self.call("POST", path, referrals)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of an SQL statement on the installation's database."""
        return self._database.query(statement)

    def until(
        self, is_true: Callable[[], bool], seconds: float = 60, *, every: float = 0.02
    ) -> None:
        """Wait until it is true; the processes are others, so there is no event to wait for."""
        end = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < end, f"not true after {seconds} s"
            time.sleep(every)

    def _web_answers(self) -> bool:
        try:
            return self.call("GET", "/api/v1/openapi.json")[0] == 200
        except OSError:
            return False


class _Database:
    """A database of the same kind as the test run's, for one installation."""

    def __init__(self, folder: Path) -> None:
        self._server = os.environ.get("DATABASE_URL", "")
        self._name = f"stack_{uuid.uuid4().hex[:12]}"
        self._file = folder / "db.sqlite3"

    @property
    def url(self) -> str:
        if not self._server:
            return f"sqlite:///{self._file}"
        return f"{self._server.rpartition('/')[0]}/{self._name}"

    def create(self) -> None:
        self._administer("CREATE DATABASE {}")

    def drop(self) -> None:
        self._administer("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        if self._server:
            with psycopg.connect(self.url) as connection:
                return connection.execute(statement).fetchall()
        with closing(sqlite3.connect(self._file, timeout=30)) as file:
            return file.execute(statement).fetchall()

    def _administer(self, statement: str) -> None:
        if self._server:
            with psycopg.connect(self._server, autocommit=True) as connection:
                connection.execute(sql.SQL(statement).format(sql.Identifier(self._name)))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.wait()
