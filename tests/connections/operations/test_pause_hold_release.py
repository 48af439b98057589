"""Tests of holding, pausing and releasing connections."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from connections.operations.pause_hold_release import (
    hold_connection,
    pause_connection,
    release_connection,
)
from tests.users import SOMEBODY


def test_a_connection_is_held_paused_and_released_once(connection: Connection) -> None:
    def state() -> Any:
        return Connection.objects.values_list("state", "state_reason").get()

    assert hold_connection(connection.pk, reason="Refused " + "x" * 600, by=SOMEBODY)
    assert state() == ("held", ("Refused " + "x" * 600)[:500])
    assert not hold_connection(connection.pk, reason="Again", by=SOMEBODY)
    assert not pause_connection(connection, by=SOMEBODY)
    assert release_connection(connection, by=SOMEBODY)
    assert state() == ("active", "")
    assert not release_connection(connection, by=SOMEBODY)
    assert pause_connection(connection, reason="Moving" * 100, by=SOMEBODY)
    assert state() == ("paused", ("Moving" * 100)[:500])
