"""What every scenario needs: the installation, the size of the run, and running workers.

Import this module only after `django.setup()`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.fixtures import Fixture, check_recorded, wait_until_finished
from benchmarks.installation import Installation
from benchmarks.measure import Measurement
from benchmarks.processes import Process
from benchmarks.target_server import TargetServer
from referrals.enqueue import wake_workers

_JOB_END_SECONDS = 0.7
"""A job still uses CPU after the last attempt is recorded; its CPU seconds are read after this."""

_WARM_UP_DELIVERIES = 200
"""Per worker and warm-up round."""

_MAX_WARM_UP_ROUNDS = 19
_MIN_WARM_UP_ROUNDS = 2
_MIN_WARM_UP_CPU_SECONDS = 0.1
"""A worker that has used as much CPU has delivered something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkContext:
    """The installation and the size of the run; `scale` is 1 for a full run."""

    installation: Installation
    rounds: int = 3
    scale: float = 1.0

    def scaled(self, count: int, minimum: int = 40) -> int:
        """Return the count of a full run multiplied by `scale`, but at least the minimum."""
        return max(minimum, int(count * self.scale))


@contextmanager
def run_workers(
    context: BenchmarkContext,
    fixture: Fixture,
    target: TargetServer,
    *,
    count: int = 1,
    threads: int = 32,
) -> Iterator[list[Process]]:
    """Run the product's workers; yield them once each has delivered something."""
    workers = [
        context.installation.start("manage.py", "worker", DELIVERY_THREADS=str(threads))
        for _ in range(count)
    ]
    try:
        warm_up(fixture, target, workers)
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def warm_up(fixture: Fixture, target: TargetServer, workers: Sequence[Process]) -> None:
    """Deliver in rounds until every worker has used CPU; raise RuntimeError if one never does."""
    target.reset()
    idle_cpu = {worker: worker.cpu_seconds for worker in workers}
    for number in range(1, _MAX_WARM_UP_ROUNDS + 1):
        fixture.fill(_WARM_UP_DELIVERIES * len(workers))
        wake_each(workers)
        wait_until_finished()
        if number >= _MIN_WARM_UP_ROUNDS and all(
            worker.cpu_seconds > idle_cpu[worker] + _MIN_WARM_UP_CPU_SECONDS for worker in workers
        ):
            return
    raise RuntimeError("A worker delivered nothing while all were warmed up.")


def wake_each(workers: Sequence[Process]) -> None:
    """Enqueue one delivery job per worker; each job enqueues the next one itself."""
    for _ in workers:
        wake_workers()


def measure_pump(
    fixture: Fixture,
    target: TargetServer,
    workers: Sequence[Process],
    count: int,
    delay: float = 0.0,
) -> Measurement:
    """Let the workers deliver `count` referrals to a target that responds after `delay` seconds.

    The time is measured from the enqueued jobs to the last recorded attempt.
    """
    fixture.fill(count)
    target.reset(delay)
    cpu_before = sum(worker.cpu_seconds for worker in workers)
    began = time.perf_counter()
    wake_each(workers)
    wait_until_finished()
    seconds = time.perf_counter() - began
    time.sleep(_JOB_END_SECONDS)
    cpu_seconds = sum(worker.cpu_seconds for worker in workers) - cpu_before
    target.check(count)
    check_recorded(count)
    return Measurement(count=count, seconds=seconds, cpu_seconds=cpu_seconds)
