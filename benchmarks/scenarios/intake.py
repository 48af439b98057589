"""The door: one referral in a request, lists of a thousand, and a bare view beside it.

No worker runs meanwhile, so that the door alone is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.context import Stage
from benchmarks.fixtures import empty, make_world
from benchmarks.measure import Lap, Row, at_least, interleave, median_rate
from benchmarks.web import a_web, create_referrals
from referrals.models import Delivery, Referral

_LIST = 1_000


def measure(stage: Stage) -> list[Row]:
    """Both servers stay up; only one is asked at a time."""
    world = make_world(["http://127.0.0.1:1"])
    with (
        a_web(stage.installation) as door,
        a_web(stage.installation, "benchmarks.baselines.bare_settings") as bare,
    ):
        through_door = partial(
            create_referrals, stage.installation, door, expect=202, key=world.intake_key,
            path=f"/api/v1/campaigns/{world.campaign.key}/referrals",
        )  # fmt: skip
        insert = partial(
            create_referrals,
            stage.installation,
            bare,
            expect=201,
            path=f"/insert/{world.campaign.pk}",
        )
        few, many = stage.size(1_500), stage.size(10_000, least=_LIST)
        _lap(lambda: through_door(count=100), deliveries=100)
        _lap(lambda: insert(count=100), deliveries=0)
        laps = interleave(
            stage.rounds,
            {
                "one": lambda: _lap(lambda: through_door(count=few), deliveries=few),
                "bare": lambda: _lap(lambda: insert(count=few), deliveries=0),
                "list": lambda: _lap(
                    lambda: through_door(count=many, batch=_LIST, connections=4),
                    deliveries=many,
                ),
            },
        )
    return _rows({name: median_rate(one) for name, one in laps.items()})


def _lap(run: Callable[[], Lap], *, deliveries: int) -> Lap:
    empty()
    lap = run()
    stored, planned = Referral.objects.count(), Delivery.objects.count()
    if stored != lap.count or planned != deliveries:
        raise RuntimeError(f"Of {lap.count}, {stored} are stored and {planned} planned.")
    return lap


def _rows(rate: dict[str, float]) -> list[Row]:
    return [
        Row(
            name="intake, one referral in a request", value=rate["one"], unit="referrals/s",
            against="a bare view that inserts one row", against_value=rate["bare"],
            goal=at_least(0.7),
        ),
        Row(
            name=f"intake, lists of {_LIST:,}", value=rate["list"], unit="referrals/s",
            against="one in a request", against_value=rate["one"], goal=at_least(15),
        ),
    ]  # fmt: skip
