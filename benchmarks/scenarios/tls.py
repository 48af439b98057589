"""The pump over HTTPS, compared with HTTP, and the number of TLS handshakes over several jobs."""

from __future__ import annotations

import statistics
import time

from benchmarks.context import BenchmarkContext
from benchmarks.fixtures import check_recorded, create_fixture
from benchmarks.measure import BenchmarkResult, Measurement, at_most, interleave, median_rate
from benchmarks.processes import Process
from benchmarks.target_server import TargetServer, run_target_server
from tests.misbehaving_servers.certificates import CertificateAuthority

_CONNECTIONS = 20
_THREADS = 32
_JOBS = 3


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Run the same jobs over HTTP and over HTTPS."""
    authority = CertificateAuthority(context.installation.folder)
    certificate = authority.certificate()
    arguments = ("-m", "benchmarks.jobs_over_tls", str(authority.bundle))
    settings = {"DELIVERY_THREADS": str(_THREADS)}
    count, handshakes = context.scaled(1_500), list[int]()
    with (
        run_target_server(context.installation, _CONNECTIONS) as plain,
        run_target_server(context.installation, _CONNECTIONS, str(certificate)) as tls,
        context.installation.start(*arguments, **settings) as worker,
    ):

        def over_tls() -> Measurement:
            measurement = _measure(worker, tls, count)
            handshakes.append(tls.counts().connections)
            return measurement

        measured = interleave(
            context.rounds, {"http": lambda: _measure(worker, plain, count), "https": over_tls}
        )
    return _results(measured, handshakes)


def _results(
    measured: dict[str, list[Measurement]], handshakes: list[int]
) -> list[BenchmarkResult]:
    deliveries = measured["https"][0].count
    return [
        BenchmarkResult(
            name="pump over HTTPS", value=median_rate(measured["https"]), unit="deliveries/s",
            against="the same over HTTP", against_value=median_rate(measured["http"]),
        ),
        BenchmarkResult(
            name=f"TLS handshakes for {deliveries:,} deliveries in {_JOBS} jobs",
            value=statistics.median(handshakes), unit="handshakes",
            against="threads times connections", against_value=_THREADS * _CONNECTIONS,
            goal=at_most(1),
        ),
    ]  # fmt: skip


def _measure(worker: Process, target: TargetServer, count: int) -> Measurement:
    """Run the jobs one after another; the deliveries of each are deleted before the next."""
    fixture = create_fixture(target.origins)
    target.reset()
    seconds = 0.0
    for job in range(_JOBS):
        fixture.fill(count)
        began = time.perf_counter()
        worker.command("deliver")
        seconds += time.perf_counter() - began
        check_recorded(count)
        requests = target.counts().requests
        if requests != count * (job + 1):
            raise RuntimeError(f"Of {count * (job + 1)} requests, {requests} came.")
    return Measurement(count=count * _JOBS, seconds=seconds)
