"""Signs of life: given by jobs and the tick, missed after a minute, worth nothing without Redis."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from config import shutdown
from config.queue import heartbeats
from config.queue.heartbeats import (
    MAX_SILENCE_SECONDS,
    TICK,
    WORKER,
    is_alive,
    read_heartbeats,
    record_heartbeat,
)
from referrals import jobs


def test_nobody_was_heard_of_at_first() -> None:
    assert read_heartbeats() == {}
    assert not is_alive({}, WORKER, timezone.now())


def test_a_beat_is_remembered() -> None:
    before = timezone.now()
    record_heartbeat(WORKER)
    heartbeats_by_name = read_heartbeats()
    assert list(heartbeats_by_name) == [WORKER]
    assert before - timedelta(milliseconds=1) <= heartbeats_by_name[WORKER] <= timezone.now()


def test_the_last_beat_counts() -> None:
    record_heartbeat(WORKER)
    first = read_heartbeats()[WORKER]
    record_heartbeat(WORKER)
    assert read_heartbeats()[WORKER] > first


def test_silence_for_a_minute_is_death() -> None:
    now = timezone.now()
    late = timedelta(seconds=MAX_SILENCE_SECONDS)
    assert is_alive({WORKER: now - late + timedelta(seconds=1)}, WORKER, now)
    assert not is_alive({WORKER: now - late}, WORKER, now)
    assert not is_alive({WORKER: now}, TICK, now)


def test_a_job_is_a_workers_sign_of_life(db: None) -> None:
    jobs.deliver_due()
    assert list(read_heartbeats()) == [WORKER]


def test_a_ring_is_the_ticks_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "on_signals", lambda: None)
    monkeypatch.setattr(shutdown, "wait", lambda seconds: shutdown.request())
    call_command("tick")
    assert list(read_heartbeats()) == [TICK]


def test_without_redis_a_beat_is_missed_silently_and_asking_says_so(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    away = Redis.from_url(f"unix://{settings.VAR_DIR}/nobody-listens.sock")
    monkeypatch.setattr(heartbeats, "redis_connection", lambda: away)
    record_heartbeat(WORKER)
    with pytest.raises(RedisError):
        read_heartbeats()
