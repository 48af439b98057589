"""The pump, compared with loops that record nothing and with one job or task per delivery."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from celery import Celery
from redis import Redis

from benchmarks.baselines import celery_app, rq_worker
from benchmarks.chart import PUMP
from benchmarks.context import BenchmarkContext, measure_pump, run_workers
from benchmarks.fixtures import Fixture, check_recorded, create_fixture, wait_until_finished
from benchmarks.measure import (
    BenchmarkResult,
    Measurement,
    at_least,
    at_most,
    interleave,
    median_cpu,
    median_rate,
)
from benchmarks.processes import Process
from benchmarks.target_server import TargetServer, run_target_server
from referrals.models import Delivery

_CONNECTIONS = 20
_LOOPS = "benchmarks.baselines.loops"
_CELERY_WORKER = (
    "-m", "celery", "--app", "benchmarks.baselines.celery_app", "--quiet", "worker",
    "--pool", "threads", "--concurrency", "32", "--loglevel", "ERROR",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
)  # fmt: skip


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Measure the pump and all baselines in turn on one target server."""
    start, count = context.installation.start, context.scaled(8_000)
    with (
        run_target_server(context.installation, _CONNECTIONS) as target,
        start("-m", _LOOPS, "session") as session,
        start("-m", _LOOPS, "adapter") as adapter,
        start("-m", _LOOPS, "client") as client,
        start("-m", "benchmarks.baselines.rq_worker") as rq,
        start(*_CELERY_WORKER) as celery,
    ):
        fixture = create_fixture(target.origins)
        with run_workers(context, fixture, target) as workers:
            celery_queue = CeleryQueue()
            measured = interleave(
                context.rounds,
                {
                    "pump": partial(measure_pump, fixture, target, workers, count),
                    "session": partial(_measure_loop, fixture, target, session, count),
                    "adapter": partial(_measure_loop, fixture, target, adapter, count),
                    "client": partial(_measure_loop, fixture, target, client, count),
                    "rq": partial(
                        _measure_queue, fixture, target, rq, context.scaled(300), _rq_enqueue()
                    ),
                    "celery": partial(
                        _measure_queue,
                        fixture,
                        target,
                        celery,
                        context.scaled(400),
                        celery_queue.enqueue,
                    ),
                },
            )
    return _results(measured)


def _results(measured: dict[str, list[Measurement]]) -> list[BenchmarkResult]:
    rate = {name: median_rate(samples) for name, samples in measured.items()}
    cpu = {name: median_cpu(samples) for name, samples in measured.items()}

    def against(name: str, baseline: str, limit: float | None) -> BenchmarkResult:
        goal = None if limit is None else at_least(limit)
        return BenchmarkResult(
            name=PUMP, value=rate["pump"], unit="deliveries/s",
            against=name, against_value=rate[baseline], goal=goal,
        )  # fmt: skip

    return [
        against("requests.Session in 32 threads, nothing recorded", "session", 1.5),
        BenchmarkResult(
            name="pump, CPU of the worker", value=cpu["pump"], unit="ms each",
            against="requests.Session in 32 threads", against_value=cpu["session"],
            goal=at_most(0.65),
        ),
        against("requests' pooled adapter alone in 32 threads", "adapter", 0.75),
        against("our own client alone in 32 threads", "client", None),
        against("RQ SimpleWorker, one job each", "rq", 12),
        against("Celery, 32 threads, one task each", "celery", 8),
    ]  # fmt: skip


def _measure_loop(fixture: Fixture, target: TargetServer, loop: Process, count: int) -> Measurement:
    fixture.fill(count)
    loop.command("prepare")
    target.reset()
    cpu_before, began = loop.cpu_seconds, time.perf_counter()
    loop.command("go")
    seconds = time.perf_counter() - began
    cpu_seconds = loop.cpu_seconds - cpu_before
    target.check(count)
    return Measurement(count=count, seconds=seconds, cpu_seconds=cpu_seconds)


def _measure_queue(
    fixture: Fixture,
    target: TargetServer,
    worker: Process,
    count: int,
    enqueue: Callable[[list[int]], None],
) -> Measurement:
    """Measure one job or task per delivery; the time to enqueue them is not included."""
    fixture.fill(count)
    target.reset()
    cpu_before = worker.cpu_seconds
    enqueue(list(Delivery.objects.values_list("pk", flat=True)))
    began = time.perf_counter()
    wait_until_finished()
    seconds = time.perf_counter() - began
    target.check(count)
    check_recorded(count)
    cpu_seconds = worker.cpu_seconds - cpu_before
    return Measurement(count=count, seconds=seconds, cpu_seconds=cpu_seconds)


def _rq_enqueue() -> Callable[[list[int]], None]:
    from django.conf import settings  # noqa: PLC0415

    return partial(rq_worker.enqueue, Redis.from_url(settings.REDIS_URL))


class CeleryQueue:
    """Celery's queue, filled while its worker consumes nothing: publishing is not measured."""

    def __init__(self) -> None:
        self._app: Celery = celery_app.app

    def enqueue(self, delivery_ids: list[int]) -> None:
        """Publish one task per delivery, then let the worker consume them."""
        self._control("cancel_consumer")
        for pk in delivery_ids:
            celery_app.deliver_one.delay(pk)
        self._control("add_consumer")

    def _control(self, command: str) -> None:
        """Send a control command until the worker confirms it.

        Return at the first reply: without the limit Celery waits for more workers until the
        timeout, while this one already consumes.
        """
        send = getattr(self._app.control, command)
        replies: list[object] = []
        while not replies:
            replies = send(celery_app.QUEUE, reply=True, timeout=0.5, limit=1)
