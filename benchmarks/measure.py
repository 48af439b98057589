"""What a measurement comes to: laps, medians of interleaved rounds, and the rows of the table.

Must not know what is measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

LapT = TypeVar("LapT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """So many things done in so many seconds, for so many CPU seconds of the process."""

    count: int
    seconds: float
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.count / self.seconds

    @property
    def cpu_each(self) -> float:
        """Milliseconds of CPU for each."""
        return 1000 * self.cpu_seconds / self.count


def interleave(rounds: int, contestants: Mapping[str, Callable[[], LapT]]) -> dict[str, list[LapT]]:
    """Everyone's laps, A B A B A B, so that a machine that slows down slows down all of them."""
    laps: dict[str, list[LapT]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            laps[name].append(run())
    return laps


def median_rate(laps: list[Lap]) -> float:
    """The median of how many a second."""
    return statistics.median(lap.rate for lap in laps)


def median_cpu(laps: list[Lap]) -> float:
    """The median of the CPU milliseconds of each."""
    return statistics.median(lap.cpu_each for lap in laps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure must reach: the row's ratio, or its value where there is nothing beside it."""

    limit: float
    is_most: bool = False
    unit: str = ""

    def __str__(self) -> str:
        return f"{'≤' if self.is_most else '≥'} {self.limit:g}{self.unit}"

    def is_met_by(self, figure: float) -> bool:
        """Whether this is good enough."""
        return figure <= self.limit if self.is_most else figure >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; one without a goal is there to know."""

    name: str
    value: float
    unit: str
    against: str = ""
    against_value: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """The value by what it is held against."""
        return None if self.against_value is None else self.value / self.against_value

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.goal.is_met_by(self.value if self.ratio is None else self.ratio)

    def to_json(self) -> dict[str, object]:
        """As it stands in the results."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "against": self.against or None,
            "against_value": None if self.against_value is None else round(self.against_value, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "goal": None if self.goal is None else str(self.goal),
            "met": self.is_met,
        }


def at_least(limit: float) -> Goal:
    """The ratio must reach this."""
    return Goal(limit=limit)


def at_most(limit: float, unit: str = "") -> Goal:
    """The figure must not exceed this."""
    return Goal(limit=limit, is_most=True, unit=unit)
