"""The rate at an endpoint that takes 300 ms, compared with one request at a time per thread."""

from __future__ import annotations

from benchmarks.context import BenchmarkContext, measure_pump, run_workers
from benchmarks.fixtures import create_fixture
from benchmarks.measure import BenchmarkResult, at_least, median_rate
from benchmarks.target_server import run_target_server

_CONNECTIONS = 200
_THREADS = 64
_DELAY_SECONDS = 0.3


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Compare the rate with the number of threads divided by the delay.

    The pump can exceed that rate, since it may have more requests in flight than DELIVERY_THREADS.
    """
    count = context.scaled(30 * _THREADS)
    with run_target_server(context.installation, _CONNECTIONS) as target:
        fixture = create_fixture(target.origins)
        with run_workers(context, fixture, target, threads=_THREADS) as workers:
            measured = [
                measure_pump(fixture, target, workers, count, _DELAY_SECONDS)
                for _ in range(context.rounds)
            ]
    return [
        BenchmarkResult(
            name="pump, endpoint that takes 300 ms", value=median_rate(measured),
            unit="deliveries/s", against="64 threads / 300 ms",
            against_value=_THREADS / _DELAY_SECONDS, goal=at_least(0.95),
        )
    ]  # fmt: skip
