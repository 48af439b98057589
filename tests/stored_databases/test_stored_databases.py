"""Tests that stored databases of earlier releases are migrated and go on delivering."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from tests.stored_databases.restore import FOLDER, SCRIPTS, RestoredStack

RELEASES = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "sqlite.sql").exists())

PENDING = {"ann@example.com", "bob@example.com", "cid@example.com"}
_STATUSES = "SELECT status, count(*) FROM referrals_delivery GROUP BY status ORDER BY status"


@pytest.fixture(params=RELEASES)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> RestoredStack:
    script = FOLDER / request.param / SCRIPTS[connection.vendor]
    return RestoredStack(tmp_path, script.read_text())


def test_there_is_a_stored_database_of_the_first_release() -> None:
    assert RELEASES[0] == "0001-first"


def test_a_stored_database_is_migrated_and_its_pending_deliveries_are_sent(
    stack: RestoredStack,
) -> None:
    with stack:
        before = dict(stack.query(_STATUSES))
        assert before.keys() >= {"delivered", "duplicate", "pending", "rejected", "unrecognised"}
        stack.manage("deliver", "--once")
        after = dict(stack.query(_STATUSES))
        assert after["delivered"] == before["delivered"] + len(PENDING)
        assert {one.email for one in stack.crm.received()} >= PENDING


def test_a_stored_database_is_replayed_and_its_history_is_kept(stack: RestoredStack) -> None:
    with stack:
        stack.manage("replay", "--outcome", "duplicate")
        assert "exists@example.com" in {one.email for one in stack.crm.received()}
        told = "SELECT message FROM connections_historyentry WHERE message LIKE 'Replay%'"
        assert len(stack.query(told)) == 1
