"""Tests of the clock of the database."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from referrals import db_clock

MINUTE = timedelta(minutes=1)


def shift_clock(monkeypatch: pytest.MonkeyPatch, offset: timedelta) -> None:
    """Shift the clock of this process by the offset."""
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + offset)


def test_a_correct_clock_needs_no_offset(db: None) -> None:
    db_clock.adjust()
    assert db_clock._offset == timedelta(0)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no clock of its own.")
@pytest.mark.parametrize("minutes", [5, -5])
def test_a_wrong_clock_is_corrected(
    db: None, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    right = timezone.now()
    shift_clock(monkeypatch, minutes * MINUTE)
    assert abs(db_clock.now() - right) > 4 * MINUTE

    db_clock.adjust()
    assert abs(db_clock.now() - right) < MINUTE / 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no clock of its own.")
def test_a_clock_that_was_corrected_meanwhile_needs_no_offset(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        shift_clock(wrong, 5 * MINUTE)
        db_clock.adjust()
    db_clock.adjust()
    assert db_clock._offset == timedelta(0)


def test_the_clock_is_adjusted_only_if_the_last_adjustment_is_old(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    adjustments: list[int] = []
    monkeypatch.setattr(db_clock, "adjust", lambda: adjustments.append(1))
    db_clock.adjust_if_old()
    assert len(adjustments) == 1

    monkeypatch.setattr(db_clock, "_adjusted_at", time.monotonic())
    db_clock.adjust_if_old()
    assert len(adjustments) == 1
