"""Tests of the worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django_rq import get_worker
from redis.exceptions import ConnectionError as RedisConnectionError
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from config import shutdown
from config.queue.heartbeats import WORKER, read_heartbeats
from config.queue.job_queue import QUEUE, enqueue, fetch, waiting_count
from config.queue.worker import DeliveryWorker, work
from tests.worker import run_jobs


@pytest.fixture
def restored_signals() -> Iterator[None]:
    """Restore the signal handlers that RQ replaces."""
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {name: signal.getsignal(name) for name in names}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


def test_a_job_finds_the_heartbeat_of_its_worker() -> None:
    enqueue(
        "config.queue.heartbeats.has_live_worker",
        timeout_seconds=5, job_id="a-job", result_ttl_seconds=60,
    )  # fmt: skip
    before = datetime.now(UTC)

    run_jobs()

    job = fetch("a-job")
    assert job is not None
    assert job.return_value is True
    assert list(read_heartbeats()) == [WORKER]
    assert before <= read_heartbeats()[WORKER] <= datetime.now(UTC)


def test_a_worker_without_a_job_has_no_heartbeat() -> None:
    run_jobs()

    assert read_heartbeats() == {}


def test_a_warm_shutdown_of_the_worker_requests_the_shutdown_of_the_process() -> None:
    worker = get_worker(QUEUE, worker_class=DeliveryWorker, serializer=JSONSerializer)

    worker.handle_warm_shutdown_request()

    assert shutdown.requested()


def test_a_worker_runs_jobs_until_a_signal_comes(restored_signals: None) -> None:
    enqueue("operator.add", 1, 2, timeout_seconds=5, job_id="a-job", result_ttl_seconds=60)
    enqueue("os.kill", os.getpid(), signal.SIGTERM, timeout_seconds=5)
    enqueue("operator.add", 3, 4, timeout_seconds=5)

    work()

    job = fetch("a-job")
    assert job is not None
    assert job.return_value == 3
    assert waiting_count() == 1


def test_a_signal_between_two_workers_stops_the_loop(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RedisConnectionError("away")

    def interrupt(_: float) -> None:
        # The handler of the worker before does this, wherever the process is.
        shutdown.request()
        raise StopRequested

    monkeypatch.setattr("config.queue.worker.get_worker", refuse)
    monkeypatch.setattr(shutdown, "wait", interrupt)

    work()

    assert caplog.messages == ["Redis does not answer (away); trying again."]
