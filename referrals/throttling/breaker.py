"""When a connection is rested, when it is tried again, and how much it may be given; pure.

No clock, no database: what is known of a connection comes in as a value and goes out as a value.
The breaker never touches other connections, and what waits for a rested one uses up no attempts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from connections.core.response.outcomes import Outcome

FAILURES_TO_OPEN = 5
"""Network failures one after the other that open the breaker."""

WINDOW_MINUTES = 5
MIN_WINDOW_EXCHANGES = 10
MIN_UNAVAILABLE_SHARE = 0.5
"""Within the window: at least so many exchanges, of which at least this part was unavailable."""

INITIAL_COOLDOWN = timedelta(seconds=30)
MAX_COOLDOWN = timedelta(minutes=15)

SUCCESSES_TO_CLOSE = 3
"""Good exchanges, one probe after the other, until the connection counts as well again."""

UNAUTHORIZED_TO_HOLD = 3
"""Refused credentials in a row that hold the connection for a person."""

_RAMP_DOUBLING_SECONDS = 2.0
"""Seconds. After a rest, twice as many may be in flight each time, so that what has waited flows
without a flood."""

_RAMP_ENDS_AFTER = 10
_UNLIMITED_IN_FLIGHT = 1_000_000

_BURST_SECONDS = 0.1
"""How much of a second's allowance may be sent at once; the rest is spread over the second."""


class Event(StrEnum):
    """What people are told about."""

    OPENED = "opened"
    CLOSED = "closed"
    HELD = "held"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeResult:
    """One exchange as the breaker sees it; a probe was sent to a connection that is not well."""

    outcome: Outcome
    is_network_failure: bool = False
    is_trial: bool = False
    holds: bool = False
    reason: str = ""

    @property
    def is_significant(self) -> bool:
        """Whether it may change what the connection is given."""
        is_bad = self.is_failure or self.outcome is Outcome.UNAUTHORIZED
        return is_bad or self.is_trial or self.holds

    @property
    def is_failure(self) -> bool:
        """Whether the CRM is to blame: it was not reached, did not answer, or says it can't now."""
        return self.is_network_failure or self.outcome is Outcome.UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowBucket:
    """The exchanges of one minute, and how many of them failed."""

    start: datetime
    exchanges: int = 0
    unavailable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """What is known of one connection.

    `resting_until` is set while the breaker is not closed: in the future the connection rests, in
    the past it may be probed. `closed_at` is when it last became well, from which the ramp counts.
    """

    consecutive_failures: int = 0
    consecutive_unauthorized: int = 0
    window: tuple[WindowBucket, ...] = ()
    open_until: datetime | None = None
    rest: timedelta | None = None
    consecutive_successes: int = 0
    closed_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether nothing may be sent now."""
        return self.open_until is not None and self.open_until > now

    @property
    def is_closed(self) -> bool:
        """Whether the breaker is closed."""
        return self.open_until is None


def observe(
    health: Breaker, exchange_results: Iterable[ExchangeResult], now: datetime
) -> tuple[Breaker, tuple[Event, ...]]:
    """The connection's health after these exchanges, and what people should hear of it."""
    events: list[Event] = []
    for exchange_result in exchange_results:
        health, happened = _observe_one(health, exchange_result, now)
        events.extend(happened)
    return health, tuple(dict.fromkeys(events))


def begin_half_open_trial(health: Breaker, now: datetime, patience: timedelta) -> Breaker:
    """Nobody else probes until this probe is over, or must have failed without a word."""
    return replace(health, open_until=now + patience)


def well(now: datetime) -> Breaker:
    """The health of a connection that is well again: nothing is held against it, but it begins
    gently."""
    return Breaker(closed_at=now)


def capacity(health: Breaker, *, most: int, in_flight: int, now: datetime) -> int:
    """How many more may be in flight now, of `most` that the connection allows."""
    if health.is_open(now):
        return 0
    if not health.is_closed:
        return max(0, 1 - in_flight)
    return max(0, min(most, _ramp(health.closed_at, now)) - in_flight)


def tokens(left: float, per_second: float, since: datetime, now: datetime) -> float:
    """What a token bucket holds now; any second sees at most `per_second` plus one burst."""
    burst = max(1.0, per_second * _BURST_SECONDS)
    # A clock that was put back must not take away what was earned.
    seconds = max(0.0, (now - since).total_seconds())
    return min(burst, left + seconds * per_second)


def _observe_one(
    health: Breaker, exchange_result: ExchangeResult, now: datetime
) -> tuple[Breaker, list[Event]]:
    if exchange_result.outcome is Outcome.INVALID:
        return _learn_nothing(health, exchange_result, now), []
    health, events = _watch_credentials(health, exchange_result)
    health = _count(health, is_failure=exchange_result.is_failure, now=now)
    if not health.is_closed:
        # What was in flight when the breaker opened says nothing new.
        if not exchange_result.is_trial:
            return health, events
        return _judge_trial(health, exchange_result, now, events)
    in_row = health.consecutive_failures + 1 if exchange_result.is_network_failure else 0
    health = replace(health, consecutive_failures=in_row)
    if in_row >= FAILURES_TO_OPEN or (
        exchange_result.is_failure and _is_mostly_unavailable(health)
    ):
        return _rest(health, INITIAL_COOLDOWN, now), [*events, Event.OPENED]
    return health, events


def _learn_nothing(health: Breaker, unsent: ExchangeResult, now: datetime) -> Breaker:
    """What was never sent says nothing; if it was to be the probe, another may begin at once."""
    is_open = unsent.is_trial and not health.is_closed
    return replace(health, open_until=now) if is_open else health


def _watch_credentials(
    health: Breaker, exchange_result: ExchangeResult
) -> tuple[Breaker, list[Event]]:
    is_refused = exchange_result.outcome is Outcome.UNAUTHORIZED
    in_row = health.consecutive_unauthorized + 1 if is_refused else 0
    is_held = exchange_result.holds or in_row >= UNAUTHORIZED_TO_HOLD
    return replace(health, consecutive_unauthorized=in_row), [Event.HELD] if is_held else []


def _judge_trial(
    health: Breaker, probe: ExchangeResult, now: datetime, events: list[Event]
) -> tuple[Breaker, list[Event]]:
    if probe.is_failure:
        longer = min((health.rest or INITIAL_COOLDOWN) * 2, MAX_COOLDOWN)
        return _rest(health, longer, now), events
    good = health.consecutive_successes + 1
    if good < SUCCESSES_TO_CLOSE:
        return replace(health, consecutive_successes=good, open_until=now), events
    return well(now), [*events, Event.CLOSED]


def _rest(health: Breaker, rest: timedelta, now: datetime) -> Breaker:
    return replace(
        health,
        open_until=now + rest,
        rest=rest,
        consecutive_failures=0,
        consecutive_successes=0,
        window=(),
    )


def _count(health: Breaker, *, is_failure: bool, now: datetime) -> Breaker:
    """Add one exchange to this minute, and forget the minutes that have left the window."""
    start = now.replace(second=0, microsecond=0)
    oldest = start - timedelta(minutes=WINDOW_MINUTES - 1)
    window = [minute for minute in health.window if oldest <= minute.start < start]
    current = next((minute for minute in health.window if minute.start == start), None)
    current = current or WindowBucket(start=start)
    counted = replace(
        current,
        exchanges=current.exchanges + 1,
        unavailable=current.unavailable + is_failure,
    )
    return replace(health, window=(*window, counted))


def _is_mostly_unavailable(health: Breaker) -> bool:
    exchanges = sum(minute.exchanges for minute in health.window)
    unavailable = sum(minute.unavailable for minute in health.window)
    return exchanges >= MIN_WINDOW_EXCHANGES and unavailable >= MIN_UNAVAILABLE_SHARE * exchanges


def _ramp(closed_at: datetime | None, now: datetime) -> int:
    if closed_at is None:
        return _UNLIMITED_IN_FLIGHT
    doublings = (now - closed_at).total_seconds() / _RAMP_DOUBLING_SECONDS
    return int(2**doublings) if doublings < _RAMP_ENDS_AFTER else _UNLIMITED_IN_FLIGHT
