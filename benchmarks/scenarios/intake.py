"""The intake API with one referral per request and with lists of 1,000, compared with a bare view.

No worker runs meanwhile, so that only the web server is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.context import BenchmarkContext
from benchmarks.fixtures import create_fixture, delete_referrals
from benchmarks.measure import BenchmarkResult, Measurement, at_least, interleave, median_rate
from benchmarks.web import post_referrals, run_web
from referrals.models import Delivery, Referral

_LIST_SIZE = 1_000


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Run both web servers, but send requests to one at a time."""
    fixture = create_fixture(["http://127.0.0.1:1"])
    with (
        run_web(context.installation) as intake_port,
        run_web(context.installation, "benchmarks.baselines.bare_settings") as bare_port,
    ):
        post_to_intake = partial(
            post_referrals, context.installation, intake_port, expect=202, key=fixture.intake_key,
            path=f"/api/v1/campaigns/{fixture.campaign.key}/referrals",
        )  # fmt: skip
        post_to_bare = partial(
            post_referrals, context.installation, bare_port, expect=201,
            path=f"/insert/{fixture.campaign.pk}",
        )  # fmt: skip
        few, many = context.scaled(1_500), context.scaled(10_000, minimum=_LIST_SIZE)
        _measure(lambda: post_to_intake(count=100), deliveries=100)
        _measure(lambda: post_to_bare(count=100), deliveries=0)
        measured = interleave(
            context.rounds,
            {
                "one": lambda: _measure(lambda: post_to_intake(count=few), deliveries=few),
                "bare": lambda: _measure(lambda: post_to_bare(count=few), deliveries=0),
                "list": lambda: _measure(
                    lambda: post_to_intake(count=many, batch=_LIST_SIZE, connections=4),
                    deliveries=many,
                ),
            },
        )
    return _results({name: median_rate(samples) for name, samples in measured.items()})


def _measure(post: Callable[[], Measurement], *, deliveries: int) -> Measurement:
    """Return what was measured; raise RuntimeError unless all rows are stored."""
    delete_referrals()
    measured = post()
    stored, planned = Referral.objects.count(), Delivery.objects.count()
    if stored != measured.count or planned != deliveries:
        raise RuntimeError(f"Of {measured.count}, {stored} are stored and {planned} planned.")
    return measured


def _results(rate: dict[str, float]) -> list[BenchmarkResult]:
    return [
        BenchmarkResult(
            name="intake, one referral in a request", value=rate["one"], unit="referrals/s",
            against="a bare view that inserts one row", against_value=rate["bare"],
            goal=at_least(0.7),
        ),
        BenchmarkResult(
            name=f"intake, lists of {_LIST_SIZE:,}", value=rate["list"], unit="referrals/s",
            against="one in a request", against_value=rate["one"], goal=at_least(15),
        ),
    ]  # fmt: skip
