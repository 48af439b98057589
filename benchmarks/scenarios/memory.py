"""The memory of one worker after many deliveries, and after ten times as many."""

from __future__ import annotations

import statistics

from benchmarks.context import Stage, pump_lap, workers
from benchmarks.fixtures import World, make_world
from benchmarks.measure import Row, at_most
from benchmarks.processes import Process
from benchmarks.target_server import Sink, a_sink

_CONNECTIONS = 20
_MEBIBYTE = 1024 * 1024


def measure(stage: Stage) -> list[Row]:
    """The same worker all along; what it delivered is forgotten in between, as it does not know."""
    few, many = stage.size(20_000), stage.size(200_000)
    with a_sink(stage.installation, _CONNECTIONS) as sink:
        world = make_world(sink.origins)
        with workers(stage, world, sink) as started:
            before = _after(world, sink, started, few)
            after = _after(world, sink, started, many - few)
    name = f"memory of a worker after {many:,} deliveries"
    return [
        Row(
            name=name, value=after, unit="MB", against=f"after {few:,}", against_value=before,
            goal=at_most(1.05),
        ),
        Row(name=name, value=after, unit="MB", goal=at_most(150, " MB")),
    ]  # fmt: skip


def _after(world: World, sink: Sink, started: list[Process], count: int) -> float:
    pump_lap(world, sink, started, count)
    return statistics.fmean(one.resident_bytes for one in started) / _MEBIBYTE
