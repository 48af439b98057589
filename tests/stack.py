"""An installation in real processes: database, Valkey, web, workers, tick and CRM.

Tests start, kill and restart them; they listen on free ports.
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
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from connections.simulator import CRM
from tests.timing import WAIT_SECONDS, scaled, wait_until
from tests.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent


class Stack:
    """One installation; `settings` become environment variables of its processes."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.crm = CRM(slow_seconds=0.5, hang_seconds=scaled(60))
        self.valkey = Valkey(folder / "valkey.sock")
        self.port = _free_port()
        self.database = Database(folder)
        self._settings = settings
        self._processes: list[subprocess.Popen[bytes]] = []
        self.demo: dict[str, str] = {}

    def __enter__(self) -> Self:
        (self.folder / "static").mkdir()
        try:
            self.crm.start()
            self.valkey.start()
            self.database.create()
            self.prepare_database()
        except BaseException:
            self.close()
            raise
        return self

    def prepare_database(self) -> None:
        """Migrate the empty database, and create the demo in it."""
        self.manage("migrate", "--verbosity", "0")
        self.demo = json.loads(self.manage("demo", "--json", "--crm", self.crm.url))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill all processes that were started, and drop the database."""
        for process in self._processes:
            process.kill()
            process.wait()
        self.valkey.stop()
        self.crm.stop()
        self.database.drop()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of every process of the installation."""
        return {
            **os.environ,
            "VAR_DIR": str(self.folder),
            "DATABASE_URL": self.database.url,
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
        """Start gunicorn and wait until it responds."""
        process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "config.wsgi", "--bind",
                f"127.0.0.1:{self.port}", "--threads", "4", "--log-level", "warning",
            ],
            cwd=ROOT, env=self.environment,
        )  # fmt: skip
        self._processes.append(process)
        self.wait_until(self.is_web_up)
        return process

    def call(self, method: str, path: str, content: object = None) -> tuple[int, Any]:
        """Send one request to the intake API; return the status and the parsed response."""
        headers = {"Authorization": f"Bearer {self.demo['intake_key']}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        try:
            connection.request(method, path, json.dumps(content).encode(), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def post(self, referrals: object) -> tuple[int, Any]:
        """Post referrals for the demo's first campaign."""
        path = f"/api/v1/campaigns/{self.demo['campaign_key']}/referrals"
        return self.call("POST", path, referrals)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of an SQL statement on the installation's database."""
        return self.database.query(statement)

    def wait_until(
        self, is_true: Callable[[], bool], seconds: float = 60, *, every: float = 0.02
    ) -> None:
        """Wait until it is true, as `wait_until` does."""
        wait_until(is_true, seconds, every=every)

    def is_web_up(self) -> bool:
        """Whether the web process responds to a request."""
        try:
            return self.call("GET", "/api/v1/openapi.json")[0] == 200
        except OSError:
            return False


class Database:
    """A database for one installation, of the same kind as that of the test run."""

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
        """Create the database on a server; SQLite creates its file by itself."""
        self._administer("CREATE DATABASE {}")

    def drop(self) -> None:
        self._administer("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        if self._server:
            with psycopg.connect(self.url) as connection:
                return connection.execute(statement).fetchall()
        with closing(sqlite3.connect(self._file, timeout=WAIT_SECONDS)) as file:
            return file.execute(statement).fetchall()

    def run_script(self, script: str) -> None:
        """Run a script of SQL statements."""
        if self._server:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(script.encode())
            return
        with closing(sqlite3.connect(self._file)) as file:
            file.executescript(script)

    def dump(self) -> str:
        """Return a script of SQL statements that creates this database with all rows."""
        if not self._server:
            with closing(sqlite3.connect(self._file)) as file:
                return "\n".join(file.iterdump())
        command = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", self.url]
        dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        # Lines with a backslash are commands of psql and no SQL.
        return "\n".join(line for line in dumped.splitlines() if not line.startswith("\\"))

    def _administer(self, statement: str) -> None:
        if self._server:
            with psycopg.connect(self._server, autocommit=True) as connection:
                connection.execute(sql.SQL(statement).format(sql.Identifier(self._name)))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and wait until it has exited."""
    process.send_signal(signal.SIGKILL)
    process.wait()
