"""The database's time, as far as a process knows it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from referrals import db_clock

MINUTE = timedelta(minutes=1)


def differ(monkeypatch: pytest.MonkeyPatch, offset: timedelta) -> None:
    """From now on this process has the wrong time."""
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + offset)


def test_a_right_clock_is_left_alone(db: None) -> None:
    db_clock.adjust()
    assert db_clock._offset == timedelta(0)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no clock of its own.")
@pytest.mark.parametrize("window", [5, -5])
def test_a_wrong_clock_is_put_right(db: None, monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    right = timezone.now()
    differ(monkeypatch, window * MINUTE)
    assert abs(db_clock.now() - right) > 4 * MINUTE

    db_clock.adjust()
    assert abs(db_clock.now() - right) < MINUTE / 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no clock of its own.")
def test_a_clock_that_was_put_right_meanwhile_needs_no_offset(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        differ(wrong, 5 * MINUTE)
        db_clock.adjust()
    db_clock.adjust()
    assert db_clock._offset == timedelta(0)


def test_who_asks_at_every_request_asks_the_database_now_and_then(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(db_clock, "adjust", lambda: asked.append(1))
    db_clock.adjust_if_old()
    assert len(asked) == 1

    monkeypatch.setattr(db_clock, "_adjusted_at", time.monotonic())
    db_clock.adjust_if_old()
    assert len(asked) == 1
