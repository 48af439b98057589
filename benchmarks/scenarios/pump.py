"""The pump beside loops that record nothing, and beside one job or task for each delivery."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from celery import Celery
from redis import Redis

from benchmarks.baselines import celery_app, rq_worker
from benchmarks.chart import PUMP
from benchmarks.context import Stage, pump_lap, workers
from benchmarks.fixtures import World, check_recorded, make_world, wait_until_settled
from benchmarks.measure import Lap, Row, at_least, at_most, interleave, median_cpu, median_rate
from benchmarks.processes import Process
from benchmarks.target_server import Sink, a_sink
from referrals.models import Delivery

_CONNECTIONS = 20
_LOOP = "benchmarks.baselines.loops"
_CELERY = (
    "-m", "celery", "--app", "benchmarks.baselines.celery_app", "--quiet", "worker",
    "--pool", "threads", "--concurrency", "32", "--loglevel", "ERROR",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
)  # fmt: skip


def measure(stage: Stage) -> list[Row]:
    """All of them in turn on one sink."""
    start, many = stage.installation.start, stage.size(8_000)
    with (
        a_sink(stage.installation, _CONNECTIONS) as sink,
        start("-m", _LOOP, "session") as session,
        start("-m", _LOOP, "adapter") as adapter,
        start("-m", _LOOP, "client") as client,
        start("-m", "benchmarks.baselines.rq_worker") as simple,
        start(*_CELERY) as celery,
    ):
        world = make_world(sink.origins)
        with workers(stage, world, sink) as started:
            tasks = Tasks(celery)
            laps = interleave(
                stage.rounds,
                {
                    "pump": partial(pump_lap, world, sink, started, many),
                    "session": partial(_loop_lap, world, sink, session, many),
                    "adapter": partial(_loop_lap, world, sink, adapter, many),
                    "client": partial(_loop_lap, world, sink, client, many),
                    "rq": partial(_one_by_one_lap, world, sink, simple, stage.size(300), _jobs()),
                    "celery": partial(
                        _one_by_one_lap, world, sink, celery, stage.size(400), tasks.begin
                    ),
                },
            )
    return _rows(laps)


def _rows(laps: dict[str, list[Lap]]) -> list[Row]:
    rate = {name: median_rate(one) for name, one in laps.items()}
    cpu = {name: median_cpu(one) for name, one in laps.items()}

    def beside(name: str, rival: str, limit: float | None) -> Row:
        goal = None if limit is None else at_least(limit)
        return Row(
            name=PUMP, value=rate["pump"], unit="deliveries/s",
            against=name, against_value=rate[rival], goal=goal,
        )  # fmt: skip

    return [
        beside("requests.Session in 32 threads, nothing recorded", "session", 1.5),
        Row(
            name="pump, CPU of the worker", value=cpu["pump"], unit="ms each",
            against="requests.Session in 32 threads", against_value=cpu["session"],
            goal=at_most(0.65),
        ),
        beside("requests' pooled adapter alone in 32 threads", "adapter", 0.75),
        beside("our own client alone in 32 threads", "client", None),
        beside("RQ SimpleWorker, one job each", "rq", 12),
        beside("Celery, 32 threads, one task each", "celery", 8),
    ]  # fmt: skip


def _loop_lap(world: World, sink: Sink, loop: Process, count: int) -> Lap:
    world.fill(count)
    loop.ask("prepare")
    sink.reset()
    before, began = loop.cpu_seconds, time.perf_counter()
    loop.ask("go")
    seconds = time.perf_counter() - began
    used = loop.cpu_seconds - before
    sink.check(count)
    return Lap(count=count, seconds=seconds, cpu_seconds=used)


def _one_by_one_lap(
    world: World, sink: Sink, worker: Process, count: int, begin: Callable[[list[int]], None]
) -> Lap:
    """The time it takes to enqueue is not counted, the time it takes to work is."""
    world.fill(count)
    sink.reset()
    before = worker.cpu_seconds
    begin(list(Delivery.objects.values_list("pk", flat=True)))
    began = time.perf_counter()
    wait_until_settled()
    seconds = time.perf_counter() - began
    sink.check(count)
    check_recorded(count)
    return Lap(count=count, seconds=seconds, cpu_seconds=worker.cpu_seconds - before)


def _jobs() -> Callable[[list[int]], None]:
    from django.conf import settings  # noqa: PLC0415

    return partial(rq_worker.enqueue, Redis.from_url(settings.REDIS_URL))


class Tasks:
    """Celery's queue: filled while its worker looks away, so that filling it is not measured."""

    def __init__(self, worker: Process) -> None:
        self._worker = worker
        self._app: Celery = celery_app.app

    def begin(self, delivery_ids: list[int]) -> None:
        """Publish, then let the worker look."""
        self._control("cancel_consumer")
        for one in delivery_ids:
            celery_app.deliver_one.delay(one)
        self._control("add_consumer")

    def _control(self, command: str) -> None:
        answers: list[object] = []
        while not answers:
            answers = getattr(self._app.control, command)(celery_app.QUEUE, reply=True, timeout=0.5)
