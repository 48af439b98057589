"""Two workers beside one: how far a second process helps on this machine."""

from __future__ import annotations

from benchmarks.context import Stage, pump_lap, workers
from benchmarks.fixtures import World, make_world
from benchmarks.measure import Lap, Row, at_least, interleave, median_rate
from benchmarks.target_server import Sink, a_sink

_CONNECTIONS = 20


def measure(stage: Stage) -> list[Row]:
    """Started anew for each lap, since a worker that only waits would take jobs too."""
    with a_sink(stage.installation, _CONNECTIONS) as sink:
        world = make_world(sink.origins)
        laps = interleave(
            stage.rounds,
            {
                "one": lambda: _lap(stage, world, sink, 1),
                "two": lambda: _lap(stage, world, sink, 2),
            },
        )
    return [
        Row(
            name="pump, two workers", value=median_rate(laps["two"]), unit="deliveries/s",
            against="one worker", against_value=median_rate(laps["one"]), goal=at_least(1.7),
        )
    ]  # fmt: skip


def _lap(stage: Stage, world: World, sink: Sink, count: int) -> Lap:
    with workers(stage, world, sink, count=count) as started:
        return pump_lap(world, sink, started, stage.size(12_000))
