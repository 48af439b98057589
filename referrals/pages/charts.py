"""The coordinates of the SVG charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from referrals.monitoring.statistics import Step
from referrals.statuses import DeliveryStatus

WIDTH, HEIGHT = 720, 160
_GAP = 0.22
"""The share of a step's width that is left empty."""

_MIN_HEIGHT = 1.5
"""The height of a segment at least, so that a small count is still visible."""

SPARK_WIDTH, SPARK_HEIGHT = 96, 22

STACK = (*(status.value for status in DeliveryStatus if not status.is_pending), "pending")
"""The statuses of a bar's segments from the bottom to the top: successes first, pending last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One status within one bar."""

    status: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One step of the series as a stacked bar."""

    start: datetime
    total: int
    x: float
    width: float
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars side by side, scaled to the highest; `statuses` are those that occur in any bar."""

    bars: Sequence[Bar]
    highest: int
    statuses: Sequence[str]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def rows(self) -> list[tuple[datetime, list[int], int]]:
        """The chart as a table: start, count of each status, and total of each non-empty bar."""
        rows = []
        for bar in self.bars:
            counts = {segment.status: segment.count for segment in bar.segments}
            if bar.total:
                cells = [counts.get(status, 0) for status in self.statuses]
                rows.append((bar.start, cells, bar.total))
        return rows


def build_chart(steps: Sequence[Step]) -> Chart:
    """Return the steps as stacked bars."""
    highest = max((step.total for step in steps), default=0)
    width = WIDTH / max(1, len(steps))
    bars = [
        Bar(
            start=step.start,
            total=step.total,
            x=round((index + _GAP / 2) * width, 2),
            width=round(width * (1 - _GAP), 2),
            segments=_segments(step, highest),
        )
        for index, step in enumerate(steps)
    ]
    present = {status for step in steps for status, count in step.counts.items() if count}
    return Chart(
        bars=bars, highest=highest, statuses=[status for status in STACK if status in present]
    )


def sparkline_points(totals: Sequence[int]) -> str:
    """Return the points of a polyline, or an empty string if there is nothing to draw."""
    highest = max(totals, default=0)
    if not highest or len(totals) < 2:
        return ""
    step = SPARK_WIDTH / (len(totals) - 1)
    usable = SPARK_HEIGHT - 2
    points = (
        f"{index * step:.1f},{SPARK_HEIGHT - 1 - total / highest * usable:.1f}"
        for index, total in enumerate(totals)
    )
    return " ".join(points)


def _segments(step: Step, highest: int) -> list[Segment]:
    segments, top = [], float(HEIGHT)
    for status in STACK:
        count = step.counts.get(status, 0)
        if count:
            height = max(_MIN_HEIGHT, count / highest * HEIGHT)
            top = max(0.0, top - height)
            segments.append(
                Segment(status=status, count=count, y=round(top, 2), height=round(height, 2))
            )
    return segments
