"""Tests of the cache of senders."""

from __future__ import annotations

import time

import pytest

from connections.models import Connection
from connections.operations.changes import touch
from referrals.delivery import sender_cache
from referrals.delivery.connection_sender import ConnectionSender
from referrals.delivery.sender_cache import get_senders


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the senders of connections of other tests, which had the same ids."""
    monkeypatch.setattr(sender_cache, "_cache", {})


def sender(connection: Connection) -> ConnectionSender:
    return get_senders([connection.pk])[connection.pk]


def test_a_sender_is_prepared_once(connection: Connection) -> None:
    assert sender(connection) is sender(connection)


def test_a_changed_connection_is_prepared_again(connection: Connection) -> None:
    before = sender(connection)
    touch(connection)
    assert sender(connection) is not before


def test_a_sender_is_prepared_again_after_a_minute(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    before = sender(connection)
    now += 59
    assert sender(connection) is before
    now += 2
    assert sender(connection) is not before


def test_a_deleted_connection_has_no_sender(connection: Connection) -> None:
    assert get_senders([connection.pk + 1]) == {}
