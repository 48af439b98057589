"""Signs of life: given by jobs and the tick, missed after a minute, worth nothing without Redis."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from referrals import heartbeats, jobs, stopping
from referrals.heartbeats import LATE_SECONDS, TICK, WORKER, beat, is_alive, last_beats


def test_nobody_was_heard_of_at_first() -> None:
    assert last_beats() == {}
    assert not is_alive({}, WORKER, timezone.now())


def test_a_beat_is_remembered() -> None:
    before = timezone.now()
    beat(WORKER)
    beats = last_beats()
    assert list(beats) == [WORKER]
    assert before - timedelta(milliseconds=1) <= beats[WORKER] <= timezone.now()


def test_the_last_beat_counts() -> None:
    beat(WORKER)
    first = last_beats()[WORKER]
    beat(WORKER)
    assert last_beats()[WORKER] > first


def test_silence_for_a_minute_is_death() -> None:
    now = timezone.now()
    late = timedelta(seconds=LATE_SECONDS)
    assert is_alive({WORKER: now - late + timedelta(seconds=1)}, WORKER, now)
    assert not is_alive({WORKER: now - late}, WORKER, now)
    assert not is_alive({WORKER: now}, TICK, now)


def test_a_job_is_a_workers_sign_of_life(db: None) -> None:
    jobs.deliver_due()
    assert list(last_beats()) == [WORKER]


def test_a_ring_is_the_ticks_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "on_signals", lambda: None)
    monkeypatch.setattr(stopping, "wait", lambda seconds: stopping.request())
    call_command("tick")
    assert list(last_beats()) == [TICK]


def test_without_redis_a_beat_is_missed_silently_and_asking_says_so(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    away = Redis.from_url(f"unix://{settings.VAR_DIR}/nobody-listens.sock")
    monkeypatch.setattr(heartbeats, "redis_connection", lambda: away)
    beat(WORKER)
    with pytest.raises(RedisError):
        last_beats()
