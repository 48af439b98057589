"""Tests of the heartbeats of the workers and of the tick."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from config import shutdown
from config.queue import heartbeats
from config.queue.heartbeats import (
    MAX_SILENCE_SECONDS,
    TICK,
    WORKER,
    has_live_worker,
    is_alive,
    read_heartbeats,
    record_heartbeat,
)
from config.queue.redis import QueueUnavailableError


def test_no_heartbeat_is_stored_at_first() -> None:
    assert read_heartbeats() == {}
    assert not is_alive({}, WORKER, timezone.now())


def test_a_heartbeat_is_stored_with_its_time() -> None:
    before = timezone.now()
    record_heartbeat(WORKER)
    heartbeats_by_name = read_heartbeats()
    assert list(heartbeats_by_name) == [WORKER]
    assert before - timedelta(milliseconds=1) <= heartbeats_by_name[WORKER] <= timezone.now()


def test_a_later_heartbeat_replaces_the_earlier_one() -> None:
    record_heartbeat(WORKER)
    first = read_heartbeats()[WORKER]
    record_heartbeat(WORKER)
    assert read_heartbeats()[WORKER] > first


def test_a_process_is_not_alive_after_a_minute_without_a_heartbeat() -> None:
    now = timezone.now()
    late = timedelta(seconds=MAX_SILENCE_SECONDS)
    assert is_alive({WORKER: now - late + timedelta(seconds=1)}, WORKER, now)
    assert not is_alive({WORKER: now - late}, WORKER, now)
    assert not is_alive({WORKER: now}, TICK, now)


def test_the_tick_records_its_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "handle_signals", lambda: None)
    monkeypatch.setattr(shutdown, "wait", lambda seconds: shutdown.request())
    call_command("tick")
    assert list(read_heartbeats()) == [TICK]


def test_a_worker_with_a_recent_heartbeat_is_live(redis: Any) -> None:
    assert not has_live_worker()
    record_heartbeat(WORKER)
    assert has_live_worker()
    redis.hset(heartbeats._KEY, WORKER, str(time.time() - MAX_SILENCE_SECONDS))
    assert not has_live_worker()


def test_recording_without_redis_does_nothing_and_reading_raises(redis_down: None) -> None:
    record_heartbeat(WORKER)
    with pytest.raises(QueueUnavailableError):
        read_heartbeats()
    with pytest.raises(QueueUnavailableError):
        has_live_worker()
