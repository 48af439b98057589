"""The database is disconnected, restarted or locked while deliveries are claimed and recorded."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.faults.conftest import CheckInvariants
from tests.faults.tools import report
from tests.faults.tools.cluster import Cluster, find_programs
from tests.faults.tools.installation import IS_POSTGRESQL, RUN_SIZE, Installation
from tests.timing import WAIT_SECONDS

only_postgresql = pytest.mark.skipif(
    not IS_POSTGRESQL, reason="SQLite is a file without connections that could be cut."
)
only_sqlite = pytest.mark.skipif(
    IS_POSTGRESQL, reason="PostgreSQL has no lock on the whole database."
)


@only_postgresql
@pytest.mark.parametrize(
    "moment", ["claiming", pytest.param("recording", marks=pytest.mark.faults)]
)
def test_connections_are_cut(
    installation: Installation, check_invariants: CheckInvariants, moment: str
) -> None:
    installation.start_all(workers=0)
    for _ in range(2):
        installation.start_faulty_worker(f"cut_{moment}", FAULT_AFTER="0")
    installation.create_referrals(RUN_SIZE)
    found = check_invariants(
        f"database connections are cut while {moment}", installation.wait_until_finished(200)
    )
    if moment == "claiming":
        assert (found.unknown, found.requests) == (0, RUN_SIZE)


@only_postgresql
@pytest.mark.faults
def test_all_connections_are_cut_at_once(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=2)
    installation.create_referrals(RUN_SIZE)
    for count in (200, 500, 800, 1100):
        installation.wait_until_delivered(count)
        with psycopg.connect(installation.database.url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    installation.create_referrals(100)
    check_invariants(
        "all database connections are cut, four times", installation.wait_until_finished()
    )


@only_sqlite
@pytest.mark.parametrize("seconds", [3, pytest.param(25, marks=pytest.mark.faults)])
def test_another_writer_locks_the_database(
    installation: Installation, check_invariants: CheckInvariants, seconds: int
) -> None:
    installation.start_all(workers=2)
    installation.create_referrals(RUN_SIZE)
    installation.wait_until_delivered(300)
    with closing(
        sqlite3.connect(installation.folder / "db.sqlite3", timeout=WAIT_SECONDS)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.rollback()
    found = check_invariants(
        f"another writer locks SQLite for {seconds} s", installation.wait_until_finished()
    )
    if seconds == 3:
        assert (found.unknown, found.requests) == (0, RUN_SIZE)


@only_postgresql
@pytest.mark.faults
@pytest.mark.skipif(find_programs() is None, reason="PostgreSQL's programs are not installed.")
def test_the_server_is_restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cluster() as cluster:
        monkeypatch.setenv("DATABASE_URL", cluster.url)
        with Installation(tmp_path) as installation:
            installation.start_all(workers=2)
            installation.create_referrals(RUN_SIZE)
            for count in (300, 900):
                installation.wait_until_delivered(count)
                cluster.restart()
            installation.create_referrals(100)
            seconds = installation.wait_until_finished()
            found = installation.invariant_report()
            name = "the database server is restarted at once, twice"
            report.add(report.build_row(name, found, seconds))
            found.raise_if_violated()
