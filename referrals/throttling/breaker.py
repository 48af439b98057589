"""A circuit breaker for each connection: when to stop sending, and when to try again; pure.

It has no clock and no database: the breaker goes in as a value and comes out as a value. The
breaker of one connection never affects another, and deliveries that wait for an open one use up no
attempts.

Besides, it counts refused credentials, which hold the connection until a person has looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from connections.core.response.outcomes import Outcome

FAILURES_TO_OPEN = 5
"""Consecutive network failures that open the breaker."""

WINDOW_MINUTES = 5
MIN_WINDOW_EXCHANGES = 10
MIN_UNAVAILABLE_SHARE = 0.5
"""The breaker opens too if the window has so many exchanges and this share of them failed."""

INITIAL_COOLDOWN = timedelta(seconds=30)
MAX_COOLDOWN = timedelta(minutes=15)

SUCCESSES_TO_CLOSE = 3
"""Consecutive successful trials that close the breaker."""

UNAUTHORIZED_TO_HOLD = 3
"""Consecutive refusals of the credentials that hold the connection."""

_RAMP_DOUBLING_SECONDS = 2.0
"""After the breaker has closed, the attempts in flight may double in this time, so that what has
waited does not flood the CRM."""

_MAX_RAMP_DOUBLINGS = 10
_UNLIMITED_IN_FLIGHT = 1_000_000


class BreakerStatus(StrEnum):
    """The three states of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Event(StrEnum):
    """What people are notified of."""

    OPENED = "opened"
    CLOSED = "closed"
    HELD = "held"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeResult:
    """One exchange as the breaker sees it; a trial was sent while the breaker was half-open."""

    outcome: Outcome
    is_network_failure: bool = False
    is_trial: bool = False
    holds: bool = False
    reason: str = ""

    @property
    def is_significant(self) -> bool:
        """Return True if it may change how much the connection is sent."""
        is_bad = self.is_failure or self.outcome is Outcome.UNAUTHORIZED
        return is_bad or self.is_trial or self.holds

    @property
    def is_failure(self) -> bool:
        """Return True if the CRM was not reached, did not answer, or says that it can't now."""
        return self.is_network_failure or self.outcome is Outcome.UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowBucket:
    """The exchanges of one minute, and how many of them failed."""

    start: datetime
    exchanges: int = 0
    unavailable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The circuit breaker of one connection.

    - CLOSED (`open_until` is None): deliveries are sent. It opens after FAILURES_TO_OPEN network
      failures in a row, or once half of the exchanges in the window have failed.
    - OPEN (`open_until` is in the future): nothing is sent for `cooldown`.
    - HALF_OPEN (`open_until` has passed): one trial is sent at a time. SUCCESSES_TO_CLOSE
      successes in a row close the breaker; a failure opens it again for twice the cooldown.

    `closed_at` is when it last closed: from then on the attempts in flight are ramped up.
    """

    consecutive_failures: int = 0
    consecutive_unauthorized: int = 0
    window: tuple[WindowBucket, ...] = ()
    open_until: datetime | None = None
    cooldown: timedelta | None = None
    consecutive_successes: int = 0
    closed_at: datetime | None = None

    def status(self, now: datetime) -> BreakerStatus:
        """Return whether the breaker is closed, open or half-open now."""
        if self.open_until is None:
            return BreakerStatus.CLOSED
        return BreakerStatus.OPEN if self.open_until > now else BreakerStatus.HALF_OPEN

    @property
    def is_closed(self) -> bool:
        """Return True if the breaker is closed, which no passing of time changes."""
        return self.open_until is None


def closed(now: datetime) -> Breaker:
    """Return a breaker that closes now: nothing counts against it, and it ramps up."""
    return Breaker(closed_at=now)


def record(
    breaker: Breaker, results: Iterable[ExchangeResult], now: datetime
) -> tuple[Breaker, tuple[Event, ...]]:
    """Return the breaker after these exchanges, and what happened, each event once."""
    events: list[Event] = []
    for result in results:
        breaker, happened = _record_one(breaker, result, now)
        events.extend(happened)
    return breaker, tuple(dict.fromkeys(events))


def begin_half_open_trial(breaker: Breaker, now: datetime, timeout: timedelta) -> Breaker:
    """Return the breaker open until the trial has timed out, so that nobody else begins one."""
    return replace(breaker, open_until=now + timeout)


def capacity(breaker: Breaker, *, max_in_flight: int, in_flight: int, now: datetime) -> int:
    """Return how many more may be in flight now, of `max_in_flight` that the connection allows."""
    status = breaker.status(now)
    if status is BreakerStatus.OPEN:
        return 0
    if status is BreakerStatus.HALF_OPEN:
        return max(0, 1 - in_flight)
    return max(0, min(max_in_flight, _ramp(breaker.closed_at, now)) - in_flight)


def _record_one(
    breaker: Breaker, result: ExchangeResult, now: datetime
) -> tuple[Breaker, list[Event]]:
    if result.outcome is Outcome.INVALID:
        return _record_unsent(breaker, result, now), []
    breaker, events = _count_unauthorized(breaker, result)
    breaker = _count_in_window(breaker, result, now)
    if breaker.is_closed:
        breaker, opened = _record_while_closed(breaker, result, now)
        return breaker, events + opened
    # What was in flight when the breaker opened says nothing new.
    if not result.is_trial:
        return breaker, events
    breaker, closed_again = _finish_trial(breaker, result, now)
    return breaker, events + closed_again


def _record_unsent(breaker: Breaker, result: ExchangeResult, now: datetime) -> Breaker:
    """Let another trial begin at once if this one was never sent; nothing else was learned."""
    is_unused_trial = result.is_trial and not breaker.is_closed
    return replace(breaker, open_until=now) if is_unused_trial else breaker


def _count_unauthorized(breaker: Breaker, result: ExchangeResult) -> tuple[Breaker, list[Event]]:
    is_refused = result.outcome is Outcome.UNAUTHORIZED
    count = breaker.consecutive_unauthorized + 1 if is_refused else 0
    is_held = result.holds or count >= UNAUTHORIZED_TO_HOLD
    return replace(breaker, consecutive_unauthorized=count), [Event.HELD] if is_held else []


def _count_in_window(breaker: Breaker, result: ExchangeResult, now: datetime) -> Breaker:
    """Add the exchange to the bucket of this minute, and drop buckets that left the window."""
    start = now.replace(second=0, microsecond=0)
    oldest = start - timedelta(minutes=WINDOW_MINUTES - 1)
    kept = [bucket for bucket in breaker.window if oldest <= bucket.start < start]
    current = next((bucket for bucket in breaker.window if bucket.start == start), None)
    current = current or WindowBucket(start=start)
    counted = replace(
        current,
        exchanges=current.exchanges + 1,
        unavailable=current.unavailable + result.is_failure,
    )
    return replace(breaker, window=(*kept, counted))


def _record_while_closed(
    breaker: Breaker, result: ExchangeResult, now: datetime
) -> tuple[Breaker, list[Event]]:
    failures = breaker.consecutive_failures + 1 if result.is_network_failure else 0
    breaker = replace(breaker, consecutive_failures=failures)
    is_mostly_failing = result.is_failure and _is_mostly_unavailable(breaker)
    if failures >= FAILURES_TO_OPEN or is_mostly_failing:
        return _open(breaker, INITIAL_COOLDOWN, now), [Event.OPENED]
    return breaker, []


def _finish_trial(
    breaker: Breaker, trial: ExchangeResult, now: datetime
) -> tuple[Breaker, list[Event]]:
    if trial.is_failure:
        longer = min((breaker.cooldown or INITIAL_COOLDOWN) * 2, MAX_COOLDOWN)
        return _open(breaker, longer, now), []
    successes = breaker.consecutive_successes + 1
    if successes < SUCCESSES_TO_CLOSE:
        return replace(breaker, consecutive_successes=successes, open_until=now), []
    return closed(now), [Event.CLOSED]


def _open(breaker: Breaker, cooldown: timedelta, now: datetime) -> Breaker:
    return replace(
        breaker,
        open_until=now + cooldown,
        cooldown=cooldown,
        consecutive_failures=0,
        consecutive_successes=0,
        window=(),
    )


def _is_mostly_unavailable(breaker: Breaker) -> bool:
    exchanges = sum(bucket.exchanges for bucket in breaker.window)
    unavailable = sum(bucket.unavailable for bucket in breaker.window)
    return exchanges >= MIN_WINDOW_EXCHANGES and unavailable >= MIN_UNAVAILABLE_SHARE * exchanges


def _ramp(closed_at: datetime | None, now: datetime) -> int:
    """Return how many may be in flight so long after the breaker has closed."""
    if closed_at is None:
        return _UNLIMITED_IN_FLIGHT
    doublings = (now - closed_at).total_seconds() / _RAMP_DOUBLING_SECONDS
    return int(2**doublings) if doublings < _MAX_RAMP_DOUBLINGS else _UNLIMITED_IN_FLIGHT
