"""Tests of the charts of the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from referrals.monitoring.statistics import Step
from referrals.pages.charts import HEIGHT, WIDTH, build_chart, sparkline_points

START = datetime(2026, 3, 10, 14, tzinfo=UTC)


def test_bars_are_stacked_and_scaled_to_the_highest() -> None:
    steps = [
        Step(start=START, counts={"delivered": 3, "pending": 1}),
        Step(start=START + timedelta(hours=1), counts={}),
        Step(start=START + timedelta(hours=2), counts={"rejected": 2, "delivered": 0}),
    ]
    chart = build_chart(steps)
    assert (chart.highest, chart.statuses) == (4, ["delivered", "rejected", "pending"])
    first, empty, last = chart.bars
    assert [(one.status, one.y, one.height) for one in first.segments] == [
        ("delivered", 40.0, 120.0),
        ("pending", 0.0, 40.0),
    ]
    assert empty.segments == []
    assert [(one.status, one.y, one.height) for one in last.segments] == [("rejected", 80.0, 80.0)]
    assert last.x + last.width <= WIDTH
    assert chart.rows == [
        (START, [3, 0, 1], 4),
        (START + timedelta(hours=2), [0, 2, 0], 2),
    ]


def test_a_segment_of_a_small_count_is_still_visible() -> None:
    [bar] = build_chart([Step(start=START, counts={"delivered": 100_000, "rejected": 1})]).bars
    assert [one.height for one in bar.segments] == [HEIGHT, 1.5]
    assert all(one.y >= 0 for one in bar.segments)


@pytest.mark.parametrize(
    ("totals", "points"),
    [((), ""), ((5,), ""), ((0, 0), ""), ((0, 4), "0.0,21.0 96.0,1.0")],
)
def test_a_sparkline_goes_from_left_to_right(totals: tuple[int, ...], points: str) -> None:
    assert sparkline_points(totals) == points
