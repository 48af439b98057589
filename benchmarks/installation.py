"""A place of its own for one run: a database that is made and dropped, an empty Redis, a folder.

Must be usable before Django is set up, and must not know what is measured.
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

_SERVER = "postgres://postgres@127.0.0.1:5432/postgres"
_REDIS = "redis://127.0.0.1:6379/12"


class Installation:
    """The environment of all processes of the run."""

    def __init__(self, database_url: str, redis_url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,  # noqa: TID251 - a child needs what this process has.
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(folder),
            "LOG_LEVEL": "WARNING",
            "DELIVERY_PERMITTED_NETWORKS": "127.0.0.0/8",
            "DELIVERY_ALLOW_HTTP": "true",
        }

    def enter(self) -> None:
        """Make this very process one of the installation's, and its database ready."""
        os.environ.update(self.environment)  # noqa: TID251 - the settings read it.
        self.manage("migrate", "--verbosity", "0")
        import django  # noqa: PLC0415 - its settings are this installation's.

        django.setup()

    def manage(self, *arguments: str) -> None:
        """Run one of the project's commands to its end."""
        self.manage_on(self.environment["DATABASE_URL"], *arguments)

    def manage_on(self, database_url: str, *arguments: str) -> None:
        """The same on another database."""
        command = [sys.executable, "manage.py", *arguments]
        environment = {**self.environment, "DATABASE_URL": database_url}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603 - ours.

    def start(self, *arguments: str, **settings: str) -> Process:
        """Start a process of the installation; `settings` are added to its environment."""
        return Process({**self.environment, **settings}, *arguments)


@contextmanager
def an_installation() -> Iterator[Installation]:
    """On the servers that DATABASE_URL and REDIS_URL name, or on this machine's."""
    server = os.environ.get("DATABASE_URL", _SERVER)  # noqa: TID251 - before there are settings.
    redis_url = os.environ.get("REDIS_URL", _REDIS)  # noqa: TID251 - likewise.
    with (
        tempfile.TemporaryDirectory() as folder,
        an_empty_redis(redis_url),
        a_database(server, f"benchmark_{os.getpid()}") as database_url,
    ):
        (Path(folder) / "static").mkdir()
        yield Installation(database_url, redis_url, Path(folder))


@contextmanager
def a_database(server: str, name: str) -> Iterator[str]:
    """The URL of a new database beside the server's, which is dropped in the end."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(drop)


@contextmanager
def an_empty_redis(url: str) -> Iterator[None]:
    """Whatever is in there is somebody's, so only an empty one is used, and emptied again."""
    with Redis.from_url(url) as redis:
        if redis.dbsize():
            sys.exit(f"{url} is not empty: let REDIS_URL name a database that is.")
        try:
            yield
        finally:
            redis.flushdb()
