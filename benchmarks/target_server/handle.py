"""Start the target server, read what it has received, and reset it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.installation import Installation
from benchmarks.processes import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCounts:
    """Since the last reset: requests, distinct people in them, and opened connections."""

    requests: int
    people: int
    connections: int


class TargetServer:
    """A running target server."""

    def __init__(self, process: Process, scheme: str, host: str) -> None:
        self._process = process
        self.origins = [f"{scheme}://{host}:{port}" for port in process.read_json()]

    def reset(self, delay: float = 0.0) -> None:
        """Set all counts to zero; from now on respond after `delay` seconds."""
        self._process.command(f"reset {delay}")

    def counts(self) -> RequestCounts:
        """Return the counts since the last reset."""
        requests, people, connections = self._process.command("counts")
        return RequestCounts(requests=requests, people=people, connections=connections)

    def arrivals(self) -> dict[int, float]:
        """Return for each person when the first byte of the first request came, as Unix time."""
        return dict(self._process.command("arrivals"))

    def check(self, count: int) -> None:
        """Raise RuntimeError unless exactly `count` requests came, each for another person."""
        counts = self.counts()
        if counts.requests != count or counts.people != count:
            raise RuntimeError(f"{count} requests were to arrive, and what came is {counts}.")


@contextmanager
def run_target_server(
    installation: Installation, origins: int, certificate: str = ""
) -> Iterator[TargetServer]:
    """Run a target server on `origins` ports; with a certificate for `localhost`, over TLS."""
    arguments = ["-m", "benchmarks.target_server.server", "--origins", str(origins)]
    if certificate:
        arguments += ["--certificate", certificate]
    with installation.start(*arguments) as process:
        scheme, host = ("https", "localhost") if certificate else ("http", "127.0.0.1")
        yield TargetServer(process, scheme, host)
