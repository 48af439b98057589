"""The resident memory of one worker after 20,000 deliveries and after 200,000."""

from __future__ import annotations

import statistics

from benchmarks.context import BenchmarkContext, measure_pump, run_workers
from benchmarks.fixtures import Fixture, create_fixture
from benchmarks.measure import BenchmarkResult, at_most
from benchmarks.processes import Process
from benchmarks.target_server import TargetServer, run_target_server

_CONNECTIONS = 20
_MEBIBYTE = 1024 * 1024


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Measure the same worker twice; its deliveries are deleted from the database in between."""
    few, many = context.scaled(20_000), context.scaled(200_000)
    with run_target_server(context.installation, _CONNECTIONS) as target:
        fixture = create_fixture(target.origins)
        with run_workers(context, fixture, target) as workers:
            before = _megabytes_after(fixture, target, workers, few)
            after = _megabytes_after(fixture, target, workers, many - few)
    name = f"memory of a worker after {many:,} deliveries"
    return [
        BenchmarkResult(
            name=name, value=after, unit="MB", against=f"after {few:,}", against_value=before,
            goal=at_most(1.05),
        ),
        BenchmarkResult(name=name, value=after, unit="MB", goal=at_most(150, " MB")),
    ]  # fmt: skip


def _megabytes_after(
    fixture: Fixture, target: TargetServer, workers: list[Process], count: int
) -> float:
    measure_pump(fixture, target, workers, count)
    return statistics.fmean(worker.resident_bytes for worker in workers) / _MEBIBYTE
