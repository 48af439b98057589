"""Over HTTPS: connections are kept, so there are few handshakes, also from job to job."""

from __future__ import annotations

import statistics
import time

from benchmarks.context import Stage
from benchmarks.fixtures import check_recorded, make_world
from benchmarks.measure import Lap, Row, at_most, interleave, median_rate
from benchmarks.processes import Process
from benchmarks.target_server import Sink, a_sink
from tests.misbehaving_servers.certificates import Authority

_CONNECTIONS = 20
_THREADS = 32
_JOBS = 3


def measure(stage: Stage) -> list[Row]:
    """The same jobs over HTTP beside those over HTTPS."""
    authority = Authority(stage.installation.folder)
    certificate = authority.certificate()
    arguments = ("-m", "benchmarks.jobs_over_tls", str(authority.bundle))
    settings = {"DELIVERY_THREADS": str(_THREADS)}
    count, handshakes = stage.size(1_500), list[int]()
    with (
        a_sink(stage.installation, _CONNECTIONS) as plain,
        a_sink(stage.installation, _CONNECTIONS, str(certificate)) as tls,
        stage.installation.start(*arguments, **settings) as worker,
    ):

        def over_tls() -> Lap:
            lap = _lap(worker, tls, count)
            handshakes.append(tls.tally().connections)
            return lap

        laps = interleave(
            stage.rounds, {"http": lambda: _lap(worker, plain, count), "https": over_tls}
        )
    return _rows(laps, handshakes)


def _rows(laps: dict[str, list[Lap]], handshakes: list[int]) -> list[Row]:
    deliveries = laps["https"][0].count
    return [
        Row(
            name="pump over HTTPS", value=median_rate(laps["https"]), unit="deliveries/s",
            against="the same over HTTP", against_value=median_rate(laps["http"]),
        ),
        Row(
            name=f"TLS handshakes for {deliveries:,} deliveries in {_JOBS} jobs",
            value=statistics.median(handshakes), unit="handshakes",
            against="threads times connections", against_value=_THREADS * _CONNECTIONS,
            goal=at_most(1),
        ),
    ]  # fmt: skip


def _lap(worker: Process, sink: Sink, count: int) -> Lap:
    """Some jobs, each right after the other; what is delivered is forgotten in between."""
    world = make_world(sink.origins)
    sink.reset()
    seconds = 0.0
    for job in range(_JOBS):
        world.fill(count)
        began = time.perf_counter()
        worker.ask("deliver")
        seconds += time.perf_counter() - began
        check_recorded(count)
        requests = sink.tally().requests
        if requests != count * (job + 1):
            raise RuntimeError(f"Of {count * (job + 1)} requests, {requests} came.")
    return Lap(count=count * _JOBS, seconds=seconds)
