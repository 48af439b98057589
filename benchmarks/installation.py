"""An installation for one run: a new database, an empty Redis database and a temporary folder.

This module must be importable before `django.setup()`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from redis import Redis

from benchmarks.processes import ROOT, Process

_DATABASE_URL = "postgres://postgres@127.0.0.1:5432/postgres"
_REDIS_URL = "redis://127.0.0.1:6379/12"


class Installation:
    """The environment variables and the folder that all processes of the run share."""

    def __init__(self, database_url: str, redis_url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,  # noqa: TID251 - child processes inherit it.
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(folder),
            "LOG_LEVEL": "WARNING",
            "DELIVERY_PERMITTED_NETWORKS": "127.0.0.0/8",
            "DELIVERY_ALLOW_HTTP": "true",
        }

    def set_up_django(self) -> None:
        """Migrate the database and set up Django in this process for the installation."""
        os.environ.update(self.environment)  # noqa: TID251 - the settings read it.
        self.manage("migrate", "--verbosity", "0")
        import django  # noqa: PLC0415 - the environment must be complete first.

        django.setup()

    def manage(self, *arguments: str) -> None:
        """Run a management command and wait until it ends."""
        self.manage_on(self.environment["DATABASE_URL"], *arguments)

    def manage_on(self, database_url: str, *arguments: str) -> None:
        """Run a management command on another database."""
        command = [sys.executable, "manage.py", *arguments]
        environment = {**self.environment, "DATABASE_URL": database_url}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603 - ours.

    def start(self, *arguments: str, **settings: str) -> Process:
        """Start a Python process; `settings` are added to its environment."""
        return Process({**self.environment, **settings}, *arguments)


@contextmanager
def run_installation() -> Iterator[Installation]:
    """Yield an installation on the servers that DATABASE_URL and REDIS_URL name, by default local.

    Drop its database and empty the Redis database at the end.
    """
    server_url = os.environ.get("DATABASE_URL", _DATABASE_URL)  # noqa: TID251 - before there are settings.
    redis_url = os.environ.get("REDIS_URL", _REDIS_URL)  # noqa: TID251 - likewise.
    with (
        tempfile.TemporaryDirectory() as folder,
        exclusive_redis(redis_url),
        create_database(server_url, f"benchmark_{os.getpid()}") as database_url,
    ):
        (Path(folder) / "static").mkdir()
        yield Installation(database_url, redis_url, Path(folder))


@contextmanager
def create_database(server_url: str, name: str) -> Iterator[str]:
    """Create a database on the server and yield its URL; drop the database at the end."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield f"{server_url.rpartition('/')[0]}/{name}"
    finally:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(drop)


@contextmanager
def exclusive_redis(url: str) -> Iterator[None]:
    """Exit the program unless the Redis database is empty; empty it again at the end.

    Keys that are there already belong to someone else.
    """
    with Redis.from_url(url) as redis:
        if redis.dbsize():
            sys.exit(f"{url} is not empty: let REDIS_URL name a database that is.")
        try:
            yield
        finally:
            redis.flushdb()
