"""The rate of two workers, compared with one on the same machine."""

from __future__ import annotations

from benchmarks.context import BenchmarkContext, measure_pump, run_workers
from benchmarks.fixtures import Fixture, create_fixture
from benchmarks.measure import BenchmarkResult, Measurement, at_least, interleave, median_rate
from benchmarks.target_server import TargetServer, run_target_server

_CONNECTIONS = 20


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Start new workers for each measurement, since an idle worker would take jobs too."""
    with run_target_server(context.installation, _CONNECTIONS) as target:
        fixture = create_fixture(target.origins)
        measured = interleave(
            context.rounds,
            {
                "one": lambda: _measure(context, fixture, target, 1),
                "two": lambda: _measure(context, fixture, target, 2),
            },
        )
    return [
        BenchmarkResult(
            name="pump, two workers", value=median_rate(measured["two"]), unit="deliveries/s",
            against="one worker", against_value=median_rate(measured["one"]), goal=at_least(1.7),
        )
    ]  # fmt: skip


def _measure(
    context: BenchmarkContext, fixture: Fixture, target: TargetServer, count: int
) -> Measurement:
    with run_workers(context, fixture, target, count=count) as workers:
        return measure_pump(fixture, target, workers, context.scaled(12_000))
