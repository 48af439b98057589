"""The delivery log and the dashboard with 10,000 deliveries and with 1,000,000.

The time of the dashboard depends on the number of deliveries within its window, which is a hundred
times as large in the large database. So the dashboard is also measured in a third database, with
as many deliveries within the window of a day and none outside.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.context import BenchmarkContext
from benchmarks.installation import create_database
from benchmarks.measure import BenchmarkResult, at_most
from benchmarks.processes import Process
from benchmarks.seed_history import HISTORY_DAYS

_FEW, _MANY = 10_000, 1_000_000
_MANY_PER_DAY = _MANY // HISTORY_DAYS
_LOG, _DASHBOARD = _MAIN_PAGES = ("log, the list", "dashboard, day")
"""The pages that people open first; of all others, only the one that grows most is in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageTimes:
    """Median milliseconds of one page in the small and in the large database."""

    small: float
    large: float

    @property
    def ratio(self) -> float:
        return self.large / self.small


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Seed all databases before the first request, then measure each page in one after another."""
    server_url, many = context.installation.environment["DATABASE_URL"], context.scaled(_MANY, _FEW)
    name = server_url.rpartition("/")[2]
    with (
        create_database(server_url, f"{name}_few") as small_url,
        create_database(server_url, f"{name}_many") as large_url,
        create_database(server_url, f"{name}_day") as day_url,
        _start_pages(context, small_url, _FEW) as small,
        _start_pages(context, large_url, many) as large,
        _start_pages(context, day_url, _MANY_PER_DAY, days=1) as day,
    ):
        labels = small.read_json()
        large.read_json()
        day.read_json()
        times = {label: _measure_page(context, small, large, label) for label in labels}
        window_only = statistics.median(day.command(_DASHBOARD) for _ in range(context.rounds))
    return _results(times, many, window_only)


def _start_pages(
    context: BenchmarkContext, database_url: str, size: int, days: int = HISTORY_DAYS
) -> Process:
    context.installation.manage_on(database_url, "migrate", "--verbosity", "0")
    arguments = ("-m", "benchmarks.pages", str(size), str(days))
    return context.installation.start(*arguments, DATABASE_URL=database_url, DEBUG="true")


def _measure_page(
    context: BenchmarkContext, small: Process, large: Process, label: str
) -> _PageTimes:
    rounds = context.rounds if label in _MAIN_PAGES else 1
    pairs = [(small.command(label), large.command(label)) for _ in range(rounds)]
    small_times, large_times = zip(*pairs, strict=True)
    return _PageTimes(small=statistics.median(small_times), large=statistics.median(large_times))


def _results(
    times: Mapping[str, _PageTimes], many: int, window_only: float
) -> list[BenchmarkResult]:
    def result(label: str, title: str) -> BenchmarkResult:
        return BenchmarkResult(
            name=f"{title} at {many:,} deliveries", value=times[label].large, unit="ms",
            against=f"at {_FEW:,}", against_value=times[label].small, goal=at_most(1.5),
        )  # fmt: skip

    worst = max(times.keys() - set(_MAIN_PAGES), key=lambda label: times[label].ratio)
    return [
        result(_LOG, "delivery log"),
        result(_DASHBOARD, "dashboard"),
        BenchmarkResult(
            name=f"dashboard at {many:,} deliveries",
            value=times[_DASHBOARD].large,
            unit="ms",
            against="with nothing but what its window holds",
            against_value=window_only,
            goal=at_most(1.5),
        ),
        result(worst, f"the page that grows most of {len(times) - 2} ({worst})"),
    ]
