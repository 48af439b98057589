"""The numbers and time series of the dashboard.

Every query is bounded by a time window or by an index, so that it takes as long with a million
deliveries as with a thousand.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import CharField, Count, Func, Min

from connections.core.response.outcomes import Outcome
from referrals.models import Delivery
from referrals.models.deliveries import DeliveryAttemptQuerySet, DeliveryQuerySet
from referrals.statuses import NEEDING_A_PERSON, DeliveryStatus

MAX_ATTEMPTS = 2_000
"""The newest attempts of a window from which percentiles are computed; more would hardly change
them."""

SUCCESSES = (DeliveryStatus.DELIVERED, DeliveryStatus.DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How far back to look, and the steps of a series over it."""

    name: str
    label: str
    span: timedelta
    step: timedelta

    def starts(self, now: datetime) -> list[datetime]:
        """Return the starts of the steps, the oldest first; the last step has not ended yet."""
        last = _floor(now, self.step)
        count = self.span // self.step
        return [last - self.step * index for index in range(count - 1, -1, -1)]


WINDOWS = {
    window.name: window
    for window in (
        Window(name="hour", label="Hour", span=timedelta(hours=1), step=timedelta(minutes=2)),
        Window(name="day", label="24 hours", span=timedelta(hours=24), step=timedelta(hours=1)),
        Window(name="week", label="7 days", span=timedelta(days=7), step=timedelta(hours=6)),
        Window(name="month", label="30 days", span=timedelta(days=30), step=timedelta(days=1)),
    )
}
"""The windows that a user may choose, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The deliveries that were accepted in one step of a series, by their status now."""

    start: datetime
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """The number of deliveries."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One connection within a window.

    `totals` are the deliveries accepted in each step, `counts` all of them by status. `p50` and
    `p95` are attempt durations in milliseconds, None if nothing was sent.
    """

    totals: Sequence[int] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    p50: int | None = None
    p95: int | None = None

    @property
    def success_rate(self) -> float | None:
        """The share of the finished deliveries that the CRM has; None if none is finished."""
        finished = sum(self.counts.values()) - self.counts.get(DeliveryStatus.PENDING, 0)
        successes = sum(self.counts.get(status, 0) for status in SUCCESSES)
        return successes / finished if finished else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The pending deliveries of one connection and those that need a person, of any age.

    `oldest` is when the oldest pending one was accepted, `unauthorized` how many pending ones were
    refused for their credentials, and `needing_a_person` counts finished ones by status.
    """

    waiting: int = 0
    oldest: datetime | None = None
    unauthorized: int = 0
    needing_a_person: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The deliveries of a window over time, and the activity of each connection by its id."""

    steps: tuple[Step, ...]
    activities: Mapping[int, Activity]

    @property
    def counts(self) -> Counter[str]:
        """The number of deliveries by status."""
        return sum((Counter(step.counts) for step in self.steps), Counter())


def get_traffic(
    deliveries: DeliveryQuerySet, attempts: DeliveryAttemptQuerySet, window: Window, now: datetime
) -> Traffic:
    """Return what was accepted within the window and its status now; three queries."""
    starts = window.starts(now)
    rows = _counts_by_step(deliveries.filter(created_at__gte=starts[0]), window)
    by_step: dict[datetime, Counter[str]] = {start: Counter() for start in starts}
    by_connection: dict[int, dict[datetime, Counter[str]]] = defaultdict(dict)
    for connection_id, status, start, count in rows:
        if start in by_step:
            by_step[start][status] += count
            by_connection[connection_id].setdefault(start, Counter())[status] += count
    durations = _durations(attempts.filter(started_at__gte=starts[0]))
    return Traffic(
        steps=tuple(Step(start=start, counts=by_step[start]) for start in starts),
        activities={
            pk: _build_activity(by_connection.get(pk, {}), starts, durations.get(pk, {}))
            for pk in by_connection.keys() | durations.keys()
        },
    )


def get_backlogs(deliveries: DeliveryQuerySet) -> dict[int, Backlog]:
    """Return what is pending and what needs a person, by connection id; two queries."""
    waiting: dict[int, list[tuple[str, int, datetime]]] = defaultdict(list)
    # The same rows as `pending()`, by the partial index.
    pending = deliveries.filter(due_at__isnull=False).order_by()
    for connection_id, outcome, count, oldest in pending.values_list(
        "connection", "outcome"
    ).annotate(count=Count("*"), oldest=Min("created_at")):
        waiting[connection_id].append((outcome, count, oldest))
    needing: dict[int, dict[str, int]] = defaultdict(dict)
    finished = deliveries.filter(status__in=NEEDING_A_PERSON).order_by()
    # Grouped by status first, in the order of the index's columns.
    counts = finished.values_list("status", "connection").annotate(count=Count("*"))
    for status, connection_id, count in counts:
        needing[connection_id][status] = count
    return {pk: _build_backlog(waiting[pk], needing[pk]) for pk in {*waiting, *needing}}


def percentile(histogram: Mapping[int, int], share: float) -> int | None:
    """Return the smallest value with at least this share of the values at or below it.

    The histogram has the count of each value. Return None if it is empty.
    """
    wanted = math.ceil(sum(histogram.values()) * share)
    count = 0
    for value in sorted(histogram):
        count += histogram[value]
        if count >= wanted:
            return value
    return None


class _Step(Func):
    """SQL expression: floor a timestamp to the start of its step."""

    output_field = CharField()  # Converts nothing: PostgreSQL returns times, SQLite seconds.

    def __init__(self, expression: str, step: timedelta) -> None:
        super().__init__(expression)
        self._seconds = round(step.total_seconds())

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:  # noqa: ANN401
        """Use integers: Django's own truncation calls a slow Python function on SQLite."""
        seconds = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        template = f"{seconds} / {self._seconds} * {self._seconds}"
        return self.as_sql(compiler, connection, template=template)

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:  # noqa: ANN401
        """Use `date_bin`."""
        step = f"INTERVAL '{self._seconds} seconds'"
        template = f"date_bin({step}, %(expressions)s, TIMESTAMPTZ 'epoch')"
        return self.as_sql(compiler, connection, template=template)


def _counts_by_step(
    deliveries: DeliveryQuerySet, window: Window
) -> Iterator[tuple[int, str, datetime, int]]:
    """Yield connection id, status, start of the step and number of deliveries."""
    rows = (
        deliveries.order_by()
        .annotate(step_start=_Step("created_at", window.step))
        .values_list("connection", "status", "step_start")
        .annotate(count=Count("*"))
    )
    for connection_id, status, start, count in rows:
        is_time = isinstance(start, datetime)
        yield connection_id, status, start if is_time else datetime.fromtimestamp(start, UTC), count


def _durations(attempts: DeliveryAttemptQuerySet) -> dict[int, Counter[int]]:
    """Return a histogram of the newest attempts' durations in milliseconds, by connection id."""
    sent = attempts.filter(duration_ms__isnull=False).order_by("-started_at")
    newest = list(sent.values_list("delivery", "duration_ms")[:MAX_ATTEMPTS])
    # A query of its own: for a join, the planner reads all deliveries instead of looking these up.
    delivery_ids = {delivery_id for delivery_id, _ in newest}
    rows = Delivery.objects.filter(pk__in=delivery_ids).values_list("pk", "connection")
    connection_ids = dict(rows)
    durations: dict[int, Counter[int]] = defaultdict(Counter)
    for delivery_id, milliseconds in newest:
        durations[connection_ids[delivery_id]][milliseconds or 0] += 1
    return durations


def _build_activity(
    steps: Mapping[datetime, Counter[str]],
    starts: Sequence[datetime],
    histogram: Mapping[int, int],
) -> Activity:
    return Activity(
        totals=tuple(steps.get(start, Counter()).total() for start in starts),
        counts=sum(steps.values(), Counter()),
        p50=percentile(histogram, 0.5),
        p95=percentile(histogram, 0.95),
    )


def _build_backlog(
    waiting: Iterable[tuple[str, int, datetime]], needing: Mapping[str, int]
) -> Backlog:
    rows = list(waiting)
    return Backlog(
        waiting=sum(count for _, count, _ in rows),
        oldest=min((oldest for _, _, oldest in rows), default=None),
        unauthorized=sum(count for outcome, count, _ in rows if outcome == Outcome.UNAUTHORIZED),
        needing_a_person=dict(needing),
    )


def _floor(time: datetime, step: timedelta) -> datetime:
    """Return the start of the step that contains the time."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return time - (time - epoch) % step
