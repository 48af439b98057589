"""Tests of the statistics of the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.models import Campaign, Connection
from referrals.models import Delivery, DeliveryAttempt, Referral
from referrals.monitoring import statistics
from referrals.monitoring.statistics import (
    WINDOWS,
    Activity,
    Backlog,
    Traffic,
    Window,
    get_backlogs,
    get_traffic,
    percentile,
)
from referrals.statuses import DeliveryStatus

NOW = datetime(2026, 3, 10, 14, 37, 21, tzinfo=UTC)
DAY = WINDOWS["day"]


def create_deliveries(
    campaign: Campaign, connection: Connection, status: str, *ages: timedelta, took: int = 0
) -> None:
    """Create deliveries accepted that long ago; `took` milliseconds make an attempt for each."""
    for age in ages:
        at = NOW - age
        referral = Referral.objects.create(
            campaign=campaign, external_id=f"{status}-{age}-{took}", accepted_at=at
        )
        is_pending = status == DeliveryStatus.PENDING
        delivery = Delivery.objects.create(
            referral=referral, campaign=campaign, connection=connection, status=status,
            created_at=at, due_at=NOW if is_pending else None,
        )  # fmt: skip
        if took:
            DeliveryAttempt.objects.create(
                delivery=delivery, number=1, trigger="first", started_at=at, duration_ms=took,
                outcome="delivered",
            )  # fmt: skip


def all_traffic(window: Window = DAY) -> Traffic:
    return get_traffic(Delivery.objects.all(), DeliveryAttempt.objects.all(), window, NOW)


def hours(*numbers: float) -> list[timedelta]:
    return [timedelta(hours=number) for number in numbers]


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("hour", 30, datetime(2026, 3, 10, 13, 38, tzinfo=UTC)),
        ("day", 24, datetime(2026, 3, 9, 15, tzinfo=UTC)),
        ("week", 28, datetime(2026, 3, 3, 18, tzinfo=UTC)),
        ("month", 30, datetime(2026, 2, 9, tzinfo=UTC)),
    ],
)
def test_a_window_has_its_steps_and_ends_with_the_current_one(
    name: str, count: int, first: datetime
) -> None:
    window = WINDOWS[name]
    starts = window.starts(NOW)
    assert (len(starts), starts[0]) == (count, first)
    assert starts[-1] <= NOW < starts[-1] + window.step


@pytest.mark.parametrize("name", WINDOWS)
def test_a_delivery_is_counted_in_the_step_of_its_acceptance(
    name: str, campaign: Campaign, connection: Connection
) -> None:
    window = WINDOWS[name]
    create_deliveries(
        campaign, connection, "delivered", timedelta(seconds=1), window.step, window.span * 2
    )

    counted = {step.start: step.total for step in all_traffic(window).steps if step.total}

    assert counted == {window.starts(NOW)[-1]: 1, window.starts(NOW)[-2]: 1}


def test_traffic_is_counted_by_status_and_by_connection(
    campaign: Campaign, connection: Connection
) -> None:
    create_deliveries(campaign, connection, "delivered", *hours(1, 2, 3))
    create_deliveries(campaign, connection, "rejected", *hours(1))
    create_deliveries(campaign, connection, "pending", *hours(0.1))

    found = all_traffic()

    assert found.counts == {"delivered": 3, "rejected": 1, "pending": 1}
    activity = found.activities[connection.pk]
    assert activity.counts == {"delivered": 3, "rejected": 1, "pending": 1}
    assert activity.totals[-4:] == (1, 1, 2, 1)
    assert activity.success_rate == 0.75


def test_traffic_without_deliveries_has_empty_steps(db: None) -> None:
    found = all_traffic()
    assert [step.total for step in found.steps] == [0] * 24
    assert found.activities == {}
    assert get_backlogs(Delivery.objects.all()) == {}


def test_activity_without_final_deliveries_has_no_success_rate() -> None:
    assert Activity(counts={"pending": 4}).success_rate is None
    assert Activity().success_rate is None


def test_duplicates_count_as_successes() -> None:
    assert Activity(counts={"duplicate": 1, "rejected": 1}).success_rate == 0.5


def test_percentiles_cover_the_attempts_of_the_window(
    campaign: Campaign, connection: Connection
) -> None:
    for took, age in ((40, 1), (55, 2), (60, 3), (1980, 4)):
        create_deliveries(campaign, connection, "delivered", *hours(age), took=took)
    create_deliveries(campaign, connection, "delivered", *hours(30), took=9000)

    activity = all_traffic().activities[connection.pk]

    assert (activity.p50, activity.p95) == (55, 1980)


def test_percentiles_cover_only_the_newest_attempts(
    campaign: Campaign, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MAX_ATTEMPTS", 2)
    for took, age in ((10, 1), (20, 2), (30, 3)):
        create_deliveries(campaign, connection, "delivered", *hours(age), took=took)
    activity = all_traffic().activities[connection.pk]
    assert (activity.p50, activity.p95) == (10, 20)


@pytest.mark.parametrize(
    ("histogram", "share", "expected"),
    [
        ({}, 0.5, None),
        ({10: 1}, 0.5, 10),
        ({10: 1, 20: 1}, 0.5, 10),
        ({10: 1, 20: 1, 30: 1}, 0.5, 20),
        ({10: 94, 20: 1, 900: 5}, 0.95, 20),
        ({10: 94, 20: 1, 900: 6}, 0.95, 900),
    ],
)
def test_a_percentile_is_the_value_that_reaches_the_share(
    histogram: dict[int, int], share: float, expected: int | None
) -> None:
    assert percentile(histogram, share) == expected


def test_a_backlog_counts_open_deliveries_of_any_age(
    campaign: Campaign, connection: Connection
) -> None:
    create_deliveries(campaign, connection, "pending", *hours(1, 100))
    create_deliveries(campaign, connection, "unrecognised", *hours(200, 300))
    create_deliveries(campaign, connection, "unknown", *hours(2))
    create_deliveries(campaign, connection, "delivered", *hours(3))
    Delivery.objects.filter(created_at=NOW - timedelta(hours=1)).update(outcome="unauthorized")

    assert get_backlogs(Delivery.objects.all()) == {
        connection.pk: Backlog(
            waiting=2,
            oldest=NOW - timedelta(hours=100),
            unauthorized=1,
            needing_a_person={"unrecognised": 2, "unknown": 1},
        )
    }


def test_all_statistics_take_five_queries(campaign: Campaign, connection: Connection) -> None:
    create_deliveries(campaign, connection, "delivered", *hours(1, 2, 3, 4, 5), took=10)
    with CaptureQueriesContext(
        database,
    ) as queries:
        all_traffic()
        get_backlogs(Delivery.objects.all())
    assert len(queries) == 5
