"""The delivery log and the dashboard at ten thousand deliveries and at a million.

What the dashboard costs depends on how much lies within its window: a hundred times as much where
there are a hundred times as many. So it is also asked where as much lies within it, and nothing
else.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.context import Stage
from benchmarks.installation import a_database
from benchmarks.measure import Row, at_most
from benchmarks.processes import Process
from benchmarks.seed_history import QUARTER

_FEW, _MANY = 10_000, 1_000_000
_IN_A_DAY = _MANY // QUARTER
_LOG, _DASHBOARD = _FIRST = ("log, the list", "dashboard, day")
"""The pages that people see first; of all others, the one that grows most is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """Milliseconds of one page."""

    few: float
    many: float

    @property
    def ratio(self) -> float:
        return self.many / self.few


def measure(stage: Stage) -> list[Row]:
    """All are filled before the first page is asked for, and then take turns."""
    server, many = stage.installation.environment["DATABASE_URL"], stage.size(_MANY, _FEW)
    name = server.rpartition("/")[2]
    with (
        a_database(server, f"{name}_few") as few_url,
        a_database(server, f"{name}_many") as many_url,
        a_database(server, f"{name}_day") as day_url,
        _pages(stage, few_url, _FEW) as few,
        _pages(stage, many_url, many) as full,
        _pages(stage, day_url, _IN_A_DAY, days=1) as day,
    ):
        labels = few.hear()
        full.hear()
        day.hear()
        times = {label: _times(stage, few, full, label) for label in labels}
        alone = statistics.median(day.ask(_DASHBOARD) for _ in range(stage.rounds))
    return _rows(times, many, alone)


def _pages(stage: Stage, database_url: str, size: int, days: int = QUARTER) -> Process:
    stage.installation.manage_on(database_url, "migrate", "--verbosity", "0")
    arguments = ("-m", "benchmarks.pages", str(size), str(days))
    return stage.installation.start(*arguments, DATABASE_URL=database_url, DEBUG="true")


def _times(stage: Stage, few: Process, full: Process, label: str) -> _Times:
    rounds = stage.rounds if label in _FIRST else 1
    laps = [(few.ask(label), full.ask(label)) for _ in range(rounds)]
    few_laps, many_laps = zip(*laps, strict=True)
    return _Times(few=statistics.median(few_laps), many=statistics.median(many_laps))


def _rows(times: Mapping[str, _Times], many: int, alone: float) -> list[Row]:
    def row(label: str, title: str) -> Row:
        return Row(
            name=f"{title} at {many:,} deliveries", value=times[label].many, unit="ms",
            against=f"at {_FEW:,}", against_value=times[label].few, goal=at_most(1.5),
        )  # fmt: skip

    worst = max(times.keys() - set(_FIRST), key=lambda label: times[label].ratio)
    return [
        row(_LOG, "delivery log"),
        row(_DASHBOARD, "dashboard"),
        Row(
            name=f"dashboard at {many:,} deliveries",
            value=times[_DASHBOARD].many,
            unit="ms",
            against="with nothing but what its window holds",
            against_value=alone,
            goal=at_most(1.5),
        ),
        row(worst, f"the page that grows most of {len(times) - 2} ({worst})"),
    ]
