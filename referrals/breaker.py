"""When a connection is rested, when it is tried again, and how much it may be given; pure.

No clock, no database: what is known of a connection comes in as a value and goes out as a value.
The breaker never touches other connections, and what waits for a rested one uses up no attempts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from connections.http.outcomes import Outcome

FAILURES_IN_ROW = 5
"""Network failures one after the other that open the breaker."""

WINDOW_MINUTES = 5
WINDOW_FEWEST = 10
WINDOW_SHARE = 0.5
"""Within the window: at least so many exchanges, of which at least this part was unavailable."""

FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)

GOOD_TO_CLOSE = 3
"""Good exchanges, one probe after the other, until the connection counts as well again."""

UNAUTHORIZED_TO_HOLD = 3
"""Refused credentials in a row that hold the connection for a person."""

_RAMP_DOUBLES_EVERY = 2.0
"""Seconds. After a rest, twice as many may be in flight each time, so that what has waited flows
without a flood."""

_RAMP_ENDS_AFTER = 10
_NO_LIMIT = 1_000_000

_BURST_SECONDS = 0.1
"""How much of a second's allowance may be sent at once; the rest is spread over the second."""


class Event(StrEnum):
    """What people are told about."""

    OPENED = "opened"
    CLOSED = "closed"
    HELD = "held"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One exchange as the breaker sees it; a probe was sent to a connection that is not well."""

    outcome: Outcome
    is_network_failure: bool = False
    is_probe: bool = False
    holds: bool = False
    reason: str = ""

    @property
    def is_news(self) -> bool:
        """Whether it may change what the connection is given."""
        is_bad = self.is_failure or self.outcome is Outcome.UNAUTHORIZED
        return is_bad or self.is_probe or self.holds

    @property
    def is_failure(self) -> bool:
        """Whether the CRM is to blame: it was not reached, did not answer, or says it can't now."""
        return self.is_network_failure or self.outcome is Outcome.UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """The exchanges of one minute, and how many of them failed."""

    start: datetime
    exchanges: int = 0
    unavailable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is known of one connection.

    `resting_until` is set while the breaker is not closed: in the future the connection rests, in
    the past it may be probed. `closed_at` is when it last became well, from which the ramp counts.
    """

    failures_in_row: int = 0
    unauthorized_in_row: int = 0
    minutes: tuple[Minute, ...] = ()
    resting_until: datetime | None = None
    rest: timedelta | None = None
    good_in_row: int = 0
    closed_at: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        """Whether nothing may be sent now."""
        return self.resting_until is not None and self.resting_until > now

    @property
    def is_well(self) -> bool:
        """Whether the breaker is closed."""
        return self.resting_until is None


def observe(
    health: Health, observations: Iterable[Observation], now: datetime
) -> tuple[Health, tuple[Event, ...]]:
    """The connection's health after these exchanges, and what people should hear of it."""
    events: list[Event] = []
    for observation in observations:
        health, happened = _observe_one(health, observation, now)
        events.extend(happened)
    return health, tuple(dict.fromkeys(events))


def begin_probe(health: Health, now: datetime, patience: timedelta) -> Health:
    """Nobody else probes until this probe is over, or must have failed without a word."""
    return replace(health, resting_until=now + patience)


def well(now: datetime) -> Health:
    """The health of a connection that is well again: nothing is held against it, but it begins
    gently."""
    return Health(closed_at=now)


def room(health: Health, *, most: int, in_flight: int, now: datetime) -> int:
    """How many more may be in flight now, of `most` that the connection allows."""
    if health.is_resting(now):
        return 0
    if not health.is_well:
        return max(0, 1 - in_flight)
    return max(0, min(most, _ramp(health.closed_at, now)) - in_flight)


def tokens(left: float, per_second: float, since: datetime, now: datetime) -> float:
    """What a token bucket holds now; any second sees at most `per_second` plus one burst."""
    burst = max(1.0, per_second * _BURST_SECONDS)
    # A clock that was put back must not take away what was earned.
    seconds = max(0.0, (now - since).total_seconds())
    return min(burst, left + seconds * per_second)


def _observe_one(
    health: Health, observation: Observation, now: datetime
) -> tuple[Health, list[Event]]:
    if observation.outcome is Outcome.INVALID:
        return _learn_nothing(health, observation, now), []
    health, events = _watch_credentials(health, observation)
    health = _count(health, is_failure=observation.is_failure, now=now)
    if not health.is_well:
        # What was in flight when the breaker opened says nothing new.
        if not observation.is_probe:
            return health, events
        return _judge_probe(health, observation, now, events)
    in_row = health.failures_in_row + 1 if observation.is_network_failure else 0
    health = replace(health, failures_in_row=in_row)
    if in_row >= FAILURES_IN_ROW or (observation.is_failure and _is_mostly_unavailable(health)):
        return _rest(health, FIRST_REST, now), [*events, Event.OPENED]
    return health, events


def _learn_nothing(health: Health, unsent: Observation, now: datetime) -> Health:
    """What was never sent says nothing; if it was to be the probe, another may begin at once."""
    is_open = unsent.is_probe and not health.is_well
    return replace(health, resting_until=now) if is_open else health


def _watch_credentials(health: Health, observation: Observation) -> tuple[Health, list[Event]]:
    is_refused = observation.outcome is Outcome.UNAUTHORIZED
    in_row = health.unauthorized_in_row + 1 if is_refused else 0
    is_held = observation.holds or in_row >= UNAUTHORIZED_TO_HOLD
    return replace(health, unauthorized_in_row=in_row), [Event.HELD] if is_held else []


def _judge_probe(
    health: Health, probe: Observation, now: datetime, events: list[Event]
) -> tuple[Health, list[Event]]:
    if probe.is_failure:
        longer = min((health.rest or FIRST_REST) * 2, LONGEST_REST)
        return _rest(health, longer, now), events
    good = health.good_in_row + 1
    if good < GOOD_TO_CLOSE:
        return replace(health, good_in_row=good, resting_until=now), events
    return well(now), [*events, Event.CLOSED]


def _rest(health: Health, rest: timedelta, now: datetime) -> Health:
    return replace(
        health, resting_until=now + rest, rest=rest, failures_in_row=0, good_in_row=0, minutes=()
    )


def _count(health: Health, *, is_failure: bool, now: datetime) -> Health:
    """Add one exchange to this minute, and forget the minutes that have left the window."""
    start = now.replace(second=0, microsecond=0)
    oldest = start - timedelta(minutes=WINDOW_MINUTES - 1)
    minutes = [minute for minute in health.minutes if oldest <= minute.start < start]
    current = next((minute for minute in health.minutes if minute.start == start), None)
    current = current or Minute(start=start)
    counted = replace(
        current,
        exchanges=current.exchanges + 1,
        unavailable=current.unavailable + is_failure,
    )
    return replace(health, minutes=(*minutes, counted))


def _is_mostly_unavailable(health: Health) -> bool:
    exchanges = sum(minute.exchanges for minute in health.minutes)
    unavailable = sum(minute.unavailable for minute in health.minutes)
    return exchanges >= WINDOW_FEWEST and unavailable >= WINDOW_SHARE * exchanges


def _ramp(closed_at: datetime | None, now: datetime) -> int:
    if closed_at is None:
        return _NO_LIMIT
    doublings = (now - closed_at).total_seconds() / _RAMP_DOUBLES_EVERY
    return int(2**doublings) if doublings < _RAMP_ENDS_AFTER else _NO_LIMIT
