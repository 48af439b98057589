"""The numbers and series behind the dashboard: frozen values from a handful of aggregates.

Every question is bounded by a window of time or by an index, so that the answer comes as soon at a
million deliveries as at a thousand. Must not know pages, nor who asks: it counts what it is given.
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
"""The newest attempts of a window from which times are taken; more would tell nothing else."""

SUCCESSES = (DeliveryStatus.DELIVERED, DeliveryStatus.DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How far back to look, and the steps of a series over it."""

    name: str
    label: str
    span: timedelta
    step: timedelta

    def starts(self, now: datetime) -> list[datetime]:
        """Where the steps begin, the oldest first; the last one is under way."""
        last = _floor(now, self.step)
        count = self.span // self.step
        return [last - self.step * back for back in range(count - 1, -1, -1)]


WINDOWS = {
    window.name: window
    for window in (
        Window(name="hour", label="Hour", span=timedelta(hours=1), step=timedelta(minutes=2)),
        Window(name="day", label="24 hours", span=timedelta(hours=24), step=timedelta(hours=1)),
        Window(name="week", label="7 days", span=timedelta(days=7), step=timedelta(hours=6)),
        Window(name="month", label="30 days", span=timedelta(days=30), step=timedelta(days=1)),
    )
}
"""The windows that people may choose, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became of the deliveries that were accepted in one step of a series."""

    start: datetime
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One connection within a window; times are in milliseconds, None where nothing was sent."""

    totals: Sequence[int] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    p50: int | None = None
    p95: int | None = None

    @property
    def success_rate(self) -> float | None:
        """The part of the settled deliveries that the CRM has now; None where none is settled."""
        settled = sum(self.counts.values()) - self.counts.get(DeliveryStatus.PENDING, 0)
        return sum(self.counts.get(one, 0) for one in SUCCESSES) / settled if settled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for one connection, whenever it was accepted."""

    waiting: int = 0
    oldest: datetime | None = None
    unauthorized: int = 0
    open: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """All deliveries of a window over time, and each connection's part of them."""

    steps: tuple[Step, ...]
    activities: Mapping[int, Activity]

    @property
    def counts(self) -> Counter[str]:
        """All of them by status."""
        return sum((Counter(step.counts) for step in self.steps), Counter())


def traffic(
    deliveries: DeliveryQuerySet, attempts: DeliveryAttemptQuerySet, window: Window, now: datetime
) -> Traffic:
    """What was accepted within the window and what became of it, in three questions."""
    starts = window.starts(now)
    rows = _rows(deliveries.filter(created_at__gte=starts[0]), window)
    by_step: dict[datetime, Counter[str]] = {start: Counter() for start in starts}
    by_connection: dict[int, dict[datetime, Counter[str]]] = defaultdict(dict)
    for connection_id, status, start, count in rows:
        if start in by_step:
            by_step[start][status] += count
            by_connection[connection_id].setdefault(start, Counter())[status] += count
    times = _times(attempts.filter(started_at__gte=starts[0]))
    return Traffic(
        steps=tuple(Step(start=start, counts=by_step[start]) for start in starts),
        activities={
            one: _activity(by_connection.get(one, {}), starts, times.get(one, {}))
            for one in by_connection.keys() | times.keys()
        },
    )


def backlogs(deliveries: DeliveryQuerySet) -> dict[int, Backlog]:
    """What waits and what is left for a person, by connection, in two questions."""
    waiting: dict[int, list[tuple[str, int, datetime]]] = defaultdict(list)
    pending = deliveries.filter(due_at__isnull=False).order_by()
    for connection_id, outcome, count, oldest in pending.values_list(
        "connection", "outcome"
    ).annotate(count=Count("*"), oldest=Min("created_at")):
        waiting[connection_id].append((outcome, count, oldest))
    left: dict[int, dict[str, int]] = defaultdict(dict)
    held = deliveries.filter(status__in=NEEDING_A_PERSON).order_by()
    # By status first, as the index has it.
    counts = held.values_list("status", "connection").annotate(count=Count("*"))
    for status, connection_id, count in counts:
        left[connection_id][status] = count
    return {one: _backlog(waiting[one], left[one]) for one in {*waiting, *left}}


def percentile(histogram: Mapping[int, int], share: float) -> int | None:
    """The value below which so great a part of the counted values lies."""
    wanted = math.ceil(sum(histogram.values()) * share)
    seen = 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= wanted:
            return value
    return None


class _Step(Func):
    """Where the step begins in which a time lies, found by the database."""

    output_field = CharField()  # It converts nothing: PostgreSQL gives times, SQLite seconds.

    def __init__(self, expression: str, step: timedelta) -> None:
        super().__init__(expression)
        self._seconds = round(step.total_seconds())

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:  # noqa: ANN401
        """In whole numbers; Django's own truncation is a slow Python function there."""
        seconds = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        template = f"{seconds} / {self._seconds} * {self._seconds}"
        return self.as_sql(compiler, connection, template=template)

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:  # noqa: ANN401
        """By a function of its own."""
        step = f"INTERVAL '{self._seconds} seconds'"
        template = f"date_bin({step}, %(expressions)s, TIMESTAMPTZ 'epoch')"
        return self.as_sql(compiler, connection, template=template)


def _rows(deliveries: DeliveryQuerySet, window: Window) -> Iterator[tuple[int, str, datetime, int]]:
    rows = (
        deliveries.order_by()
        .annotate(step_start=_Step("created_at", window.step))
        .values_list("connection", "status", "step_start")
        .annotate(count=Count("*"))
    )
    for connection_id, status, start, count in rows:
        is_time = isinstance(start, datetime)
        yield connection_id, status, start if is_time else datetime.fromtimestamp(start, UTC), count


def _times(attempts: DeliveryAttemptQuerySet) -> dict[int, Counter[int]]:
    """How many of the newest attempts took how many milliseconds, by connection."""
    sent = attempts.filter(duration_ms__isnull=False).order_by("-started_at")
    newest = list(sent.values_list("delivery", "duration_ms")[:MAX_ATTEMPTS])
    # Asked apart: for a join, a database would rather read all deliveries than look these up.
    wanted = {delivery_id for delivery_id, _ in newest}
    of = dict(Delivery.objects.filter(pk__in=wanted).values_list("pk", "connection"))
    times: dict[int, Counter[int]] = defaultdict(Counter)
    for delivery_id, milliseconds in newest:
        times[of[delivery_id]][milliseconds or 0] += 1
    return times


def _activity(
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


def _backlog(waiting: Iterable[tuple[str, int, datetime]], left: Mapping[str, int]) -> Backlog:
    rows = list(waiting)
    return Backlog(
        waiting=sum(count for _, count, _ in rows),
        oldest=min((oldest for _, _, oldest in rows), default=None),
        unauthorized=sum(count for outcome, count, _ in rows if outcome == Outcome.UNAUTHORIZED),
        open=dict(left),
    )


def _floor(at: datetime, step: timedelta) -> datetime:
    """Where the step begins in which the moment lies."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return at - (at - epoch) % step
