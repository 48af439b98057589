"""What every row plays on: the installation, how many rounds, how much of everything.

Import it once Django is set up.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.fixtures import World, check_recorded, wait_until_settled
from benchmarks.installation import Installation
from benchmarks.measure import Lap
from benchmarks.processes import Process
from benchmarks.target_server import Sink
from config.queue.job_queue import wake_workers

_AFTERMATH_SECONDS = 0.7
"""What a job does once everything is recorded belongs to its CPU seconds too."""

_WARM_UP = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The installation and the size of the run; `part` is 1 for a whole one."""

    installation: Installation
    rounds: int = 3
    part: float = 1.0

    def size(self, count: int, least: int = 40) -> int:
        """So many of a whole run."""
        return max(least, int(count * self.part))


@contextmanager
def workers(
    stage: Stage, world: World, sink: Sink, *, count: int = 1, threads: int = 32
) -> Iterator[list[Process]]:
    """So many of the product's workers, warm: they have delivered before."""
    arguments = ("manage.py", "worker")
    started = [
        stage.installation.start(*arguments, DELIVERY_THREADS=str(threads)) for _ in range(count)
    ]
    try:
        warm_up(world, sink, started)
        yield started
    finally:
        for one in started:
            one.stop()


def warm_up(world: World, sink: Sink, started: list[Process]) -> None:
    """A first lap for each, until all of them have taken part."""
    sink.reset()
    idle = {one: one.cpu_seconds for one in started}
    for number in range(1, 20):
        world.fill(_WARM_UP * len(started))
        ring_for(started)
        wait_until_settled()
        if number > 1 and all(one.cpu_seconds > idle[one] + 0.1 for one in started):
            return
    raise RuntimeError("A worker takes no part.")


def ring_for(started: list[Process]) -> None:
    """A job for each worker; the jobs themselves ring for the next."""
    for _ in started:
        wake_workers()


def pump_lap(
    world: World, sink: Sink, started: list[Process], count: int, delay: float = 0.0
) -> Lap:
    """Everything due delivered by the workers, from the ring to the last record."""
    world.fill(count)
    sink.reset(delay)
    before = sum(one.cpu_seconds for one in started)
    began = time.perf_counter()
    ring_for(started)
    wait_until_settled()
    seconds = time.perf_counter() - began
    time.sleep(_AFTERMATH_SECONDS)
    used = sum(one.cpu_seconds for one in started) - before
    sink.check(count)
    check_recorded(count)
    return Lap(count=count, seconds=seconds, cpu_seconds=used)
