"""Measurements, their medians over interleaved rounds, and the results that the table shows."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

SampleT = TypeVar("SampleT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The count of operations, their duration, and the CPU time of the measured processes."""

    count: int
    seconds: float
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.count / self.seconds

    @property
    def cpu_milliseconds_each(self) -> float:
        """CPU milliseconds per operation."""
        return 1000 * self.cpu_seconds / self.count


def interleave(
    rounds: int, candidates: Mapping[str, Callable[[], SampleT]]
) -> dict[str, list[SampleT]]:
    """Call every candidate once per round and return what each returned.

    The order A B A B A B makes a machine that slows down slow down all candidates.
    """
    samples: dict[str, list[SampleT]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            samples[name].append(run())
    return samples


def median_rate(measurements: Sequence[Measurement]) -> float:
    """Return the median of the operations per second."""
    return statistics.median(one.rate for one in measurements)


def median_cpu(measurements: Sequence[Measurement]) -> float:
    """Return the median of the CPU milliseconds per operation."""
    return statistics.median(one.cpu_milliseconds_each for one in measurements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A limit for a result's ratio, or for its value if it is compared with nothing."""

    limit: float
    is_maximum: bool = False
    unit: str = ""

    def __str__(self) -> str:
        return f"{'≤' if self.is_maximum else '≥'} {self.limit:g}{self.unit}"

    def is_met_by(self, figure: float) -> bool:
        """Return whether the figure is within the limit."""
        return figure <= self.limit if self.is_maximum else figure >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResult:
    """One line of the table; a result without a goal is only informative."""

    name: str
    value: float
    unit: str
    against: str = ""
    against_value: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """The value divided by the one it is compared with."""
        return None if self.against_value is None else self.value / self.against_value

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None if there is no goal."""
        if self.goal is None:
            return None
        return self.goal.is_met_by(self.value if self.ratio is None else self.ratio)

    def to_json(self) -> dict[str, object]:
        """Return the entry for `results.json`."""
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
    """Return a goal with a minimum."""
    return Goal(limit=limit)


def at_most(limit: float, unit: str = "") -> Goal:
    """Return a goal with a maximum."""
    return Goal(limit=limit, is_maximum=True, unit=unit)
