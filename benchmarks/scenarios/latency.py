"""The time from a referral's acceptance to the first byte at the target server.

It includes web server, Redis and worker. It starts at the referral's `accepted_at`, which is set
before the transaction ends. So the commit, the enqueued job, the claim and the building of the
request are all included.
"""

from __future__ import annotations

import statistics

from benchmarks.context import BenchmarkContext, run_workers
from benchmarks.fixtures import (
    Fixture,
    check_recorded,
    create_fixture,
    delete_referrals,
    wait_until_finished,
)
from benchmarks.measure import BenchmarkResult, at_most
from benchmarks.target_server import TargetServer, run_target_server
from benchmarks.web import post_referrals, run_web
from referrals.models import Referral

_RATE_PER_SECOND = 200
_SECONDS = 30


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Measure one long run instead of rounds, since it is compared with nothing."""
    count = _RATE_PER_SECOND * context.scaled(_SECONDS, minimum=2)
    with (
        run_target_server(context.installation, 1) as target,
        run_web(context.installation) as port,
        context.installation.start("manage.py", "tick"),
    ):
        fixture = create_fixture(target.origins)
        with run_workers(context, fixture, target):
            _measure(context, fixture, target, port, _RATE_PER_SECOND)  # A warm-up.
            latencies = _measure(context, fixture, target, port, count)
    percentiles = statistics.quantiles(latencies, n=100)
    return [
        _result("half of them (p50) within", percentiles[49]),
        _result("p95", percentiles[94], 50),
        _result("p99", percentiles[98], 150),
    ]


def _result(name: str, value: float, limit: float | None = None) -> BenchmarkResult:
    goal = None if limit is None else at_most(limit, " ms")
    return BenchmarkResult(
        name=f"acceptance to first byte, 200/s, {name}", value=value, unit="ms", goal=goal
    )


def _measure(
    context: BenchmarkContext, fixture: Fixture, target: TargetServer, port: int, count: int
) -> list[float]:
    """Post and deliver `count` referrals; return the milliseconds of each until it arrived."""
    delete_referrals()
    target.reset()
    path = f"/api/v1/campaigns/{fixture.campaign.key}/referrals"
    post_referrals(
        context.installation, port, expect=202, count=count, rate=_RATE_PER_SECOND, path=path,
        key=fixture.intake_key,
    )  # fmt: skip
    wait_until_finished()
    target.check(count)
    check_recorded(count)
    arrivals = target.arrivals()
    rows = Referral.objects.values_list("external_id", "accepted_at")
    return [
        1000 * (arrivals[int(external_id.removeprefix("lead-"))] - accepted_at.timestamp())
        for external_id, accepted_at in rows
    ]
