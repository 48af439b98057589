"""From acceptance at the door to the first byte at the CRM, through web, Redis and a worker.

Acceptance is the moment that the referral itself says, before its transaction ends, so that the
commit, the ring, the claim and the building all count.
"""

from __future__ import annotations

import statistics

from benchmarks.context import Stage, workers
from benchmarks.fixtures import World, check_recorded, empty, make_world, wait_until_settled
from benchmarks.measure import Row, at_most
from benchmarks.target_server import Sink, a_sink
from benchmarks.web import a_web, create_referrals
from referrals.models import Referral

_RATE = 200
_SECONDS = 30


def measure(stage: Stage) -> list[Row]:
    """One long run instead of rounds: there is nothing beside it."""
    count = _RATE * stage.size(_SECONDS, least=2)
    with (
        a_sink(stage.installation, 1) as sink,
        a_web(stage.installation) as port,
        stage.installation.start("manage.py", "tick"),
    ):
        world = make_world(sink.origins)
        with workers(stage, world, sink):
            _send(stage, world, sink, port, _RATE)
            waits = _send(stage, world, sink, port, count)
    parts = statistics.quantiles(waits, n=100)
    return [
        _row("half of them (p50) within", parts[49]),
        _row("p95", parts[94], 50),
        _row("p99", parts[98], 150),
    ]


def _row(name: str, value: float, limit: float | None = None) -> Row:
    goal = None if limit is None else at_most(limit, " ms")
    return Row(name=f"acceptance to first byte, 200/s, {name}", value=value, unit="ms", goal=goal)


def _send(stage: Stage, world: World, sink: Sink, port: int, count: int) -> list[float]:
    """Milliseconds from acceptance to arrival, of each."""
    empty()
    sink.reset()
    path = f"/api/v1/campaigns/{world.campaign.key}/referrals"
    create_referrals(
        stage.installation, port, expect=202, count=count, rate=_RATE, path=path,
        key=world.intake_key,
    )  # fmt: skip
    wait_until_settled()
    sink.check(count)
    check_recorded(count)
    arrivals = sink.arrivals()
    rows = Referral.objects.values_list("external_id", "accepted_at")
    return [
        1000 * (arrivals[int(name.removeprefix("lead-"))] - at.timestamp()) for name, at in rows
    ]
