"""The sink as a measurement sees it: where it listens, and what it has received."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.installation import Installation
from benchmarks.processes import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Since the last reset: requests, different people in them, and connections opened."""

    requests: int
    people: int
    connections: int


class Sink:
    """A running sink."""

    def __init__(self, process: Process, scheme: str, host: str) -> None:
        self._process = process
        self.origins = [f"{scheme}://{host}:{port}" for port in process.hear()]

    def reset(self, delay: float = 0.0) -> None:
        """Forget what came, and answer from now on after so many seconds."""
        self._process.ask(f"reset {delay}")

    def tally(self) -> Tally:
        """What came since the last reset."""
        requests, people, connections = self._process.ask("tally")
        return Tally(requests=requests, people=people, connections=connections)

    def arrivals(self) -> dict[int, float]:
        """For each person, when the first byte of the first request came (seconds since 1970)."""
        return dict(self._process.ask("arrivals"))

    def check(self, count: int) -> None:
        """Raise unless exactly so many requests came, each for another person."""
        tally = self.tally()
        if tally.requests != count or tally.people != count:
            raise RuntimeError(f"{count} requests were to arrive, and what came is {tally}.")


@contextmanager
def a_sink(installation: Installation, origins: int, certificate: str = "") -> Iterator[Sink]:
    """A sink on so many ports, over TLS where there is a certificate, for `localhost`."""
    arguments = ["-m", "benchmarks.target_server.server", "--origins", str(origins)]
    if certificate:
        arguments += ["--certificate", certificate]
    with installation.start(*arguments) as process:
        scheme, host = ("https", "localhost") if certificate else ("http", "127.0.0.1")
        yield Sink(process, scheme, host)
