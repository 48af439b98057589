"""Series as the coordinates of an SVG picture; knows numbers only, no colours and no markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from referrals.monitoring.statistics import Step
from referrals.statuses import DeliveryStatus

WIDTH, HEIGHT = 720, 160
_GAP = 0.22
"""The part of a step's width that is left empty."""

_MIN_HEIGHT = 1.5
"""What there is little of must still be seen."""

SPARK_WIDTH, SPARK_HEIGHT = 96, 22

STACK = (*(one.value for one in DeliveryStatus if not one.is_pending), "pending")
"""From the bottom to the top: successes carry, what waits comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One status within one bar."""

    status: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One step: `start` names it."""

    start: datetime
    total: int
    x: float
    width: float
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars side by side, all on the scale of the highest; `statuses` occur in at least one."""

    bars: Sequence[Bar]
    highest: int
    statuses: Sequence[str]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def rows(self) -> list[tuple[datetime, list[int], int]]:
        """The same as a table: one line for each bar in which there is something."""
        rows = []
        for bar in self.bars:
            counts = {segment.status: segment.count for segment in bar.segments}
            if bar.total:
                line = [counts.get(status, 0) for status in self.statuses]
                rows.append((bar.start, line, bar.total))
        return rows


def chart(steps: Sequence[Step]) -> Chart:
    """The steps as stacked bars."""
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


def sparkline(totals: Sequence[int]) -> str:
    """The points of a line; empty where there is nothing to draw."""
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
