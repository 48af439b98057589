"""An endpoint that takes 300 ms: how close to what its threads could do at best."""

from __future__ import annotations

from benchmarks.context import Stage, pump_lap, workers
from benchmarks.fixtures import make_world
from benchmarks.measure import Row, at_least, median_rate
from benchmarks.target_server import a_sink

_CONNECTIONS = 200
_THREADS = 64
_DELAY = 0.3


def measure(stage: Stage) -> list[Row]:
    """The pump may keep more requests waiting than it has threads to compute with, so it can also
    do better than its number of threads says."""
    count = stage.size(30 * _THREADS)
    with a_sink(stage.installation, _CONNECTIONS) as sink:
        world = make_world(sink.origins)
        with workers(stage, world, sink, threads=_THREADS) as started:
            laps = [pump_lap(world, sink, started, count, _DELAY) for _ in range(stage.rounds)]
    return [
        Row(
            name="pump, endpoint that takes 300 ms", value=median_rate(laps), unit="deliveries/s",
            against="64 threads / 300 ms", against_value=_THREADS / _DELAY, goal=at_least(0.95),
        )
    ]  # fmt: skip
