"""The database's time, as far as a process knows it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from referrals.claims import clock

MINUTE = timedelta(minutes=1)


def differ(monkeypatch: pytest.MonkeyPatch, offset: timedelta) -> None:
    """From now on this process has the wrong time."""
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + offset)


def test_a_right_clock_is_left_alone(db: None) -> None:
    clock.adjust()
    assert clock._offset == timedelta(0)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no clock of its own.")
@pytest.mark.parametrize("minutes", [5, -5])
def test_a_wrong_clock_is_put_right(
    db: None, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    right = timezone.now()
    differ(monkeypatch, minutes * MINUTE)
    assert abs(clock.now() - right) > 4 * MINUTE

    clock.adjust()
    assert abs(clock.now() - right) < MINUTE / 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no clock of its own.")
def test_a_clock_that_was_put_right_meanwhile_needs_no_offset(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        differ(wrong, 5 * MINUTE)
        clock.adjust()
    clock.adjust()
    assert clock._offset == timedelta(0)


def test_who_asks_at_every_request_asks_the_database_now_and_then(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(clock, "adjust", lambda: asked.append(1))
    clock.adjust_if_old()
    assert len(asked) == 1

    monkeypatch.setattr(clock, "_adjusted_at", time.monotonic())
    clock.adjust_if_old()
    assert len(asked) == 1
