"""Tests of the breaker: opening, trials, closing and holding."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from connections.core.response.outcomes import Outcome
from referrals.throttling.breaker import (
    INITIAL_COOLDOWN,
    MAX_COOLDOWN,
    Breaker,
    BreakerStatus,
    Event,
    ExchangeResult,
    begin_half_open_trial,
    capacity,
    closed,
    record,
)
from tests.referrals.factories import NOW

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

REFUSED = ExchangeResult(outcome=Outcome.UNAVAILABLE, is_network_failure=True)
TIMED_OUT = ExchangeResult(outcome=Outcome.UNKNOWN, is_network_failure=True)
BUSY = ExchangeResult(outcome=Outcome.UNAVAILABLE)
GOOD = ExchangeResult(outcome=Outcome.DELIVERED)
REJECTED = ExchangeResult(outcome=Outcome.REJECTED)
THROTTLED = ExchangeResult(outcome=Outcome.THROTTLED)
UNAUTHORIZED = ExchangeResult(outcome=Outcome.UNAUTHORIZED)
UNSENT = ExchangeResult(outcome=Outcome.INVALID)


def record_all(
    *results: ExchangeResult, breaker: Breaker | None = None, now: datetime = NOW
) -> tuple[Breaker, tuple[Event, ...]]:
    return record(breaker or Breaker(), results, now)


def finish_trial(
    outcome: Outcome, breaker: Breaker, *, is_network_failure: bool = False
) -> tuple[Breaker, tuple[Event, ...]]:
    """Record a trial at the end of the cooldown."""
    now = breaker.open_until or NOW
    trial = ExchangeResult(outcome=outcome, is_trial=True, is_network_failure=is_network_failure)
    return record(breaker, [trial], now)


def opened() -> Breaker:
    return record_all(*[REFUSED] * 5)[0]


@pytest.mark.parametrize("failure", [REFUSED, TIMED_OUT])
def test_five_network_failures_in_a_row_open_the_breaker(failure: ExchangeResult) -> None:
    breaker, events = record_all(*[failure] * 4)
    assert (breaker.is_closed, breaker.consecutive_failures, events) == (True, 4, ())

    breaker, events = record_all(failure, breaker=breaker)
    assert events == (Event.OPENED,)
    assert (breaker.open_until, breaker.cooldown) == (NOW + INITIAL_COOLDOWN, INITIAL_COOLDOWN)


@pytest.mark.parametrize("response", [GOOD, REJECTED, THROTTLED, UNAUTHORIZED, BUSY])
def test_any_response_resets_the_network_failures_in_a_row(response: ExchangeResult) -> None:
    breaker, events = record_all(*[REFUSED] * 4, response, *[REFUSED] * 4)
    assert (breaker.consecutive_failures, events) == (4, ())


def test_a_request_that_was_never_sent_does_not_count() -> None:
    breaker, events = record_all(*[REFUSED] * 4, *[UNSENT] * 20, UNAUTHORIZED, UNAUTHORIZED, UNSENT)
    assert events == ()
    assert breaker.consecutive_unauthorized == 2
    assert sum(bucket.exchanges for bucket in breaker.window) == 6

    assert record_all(UNSENT, REFUSED, breaker=record_all(*[REFUSED] * 4)[0])[1] == (Event.OPENED,)


@pytest.mark.parametrize("failure", [BUSY, TIMED_OUT])
def test_failures_of_half_of_ten_exchanges_open_the_breaker(failure: ExchangeResult) -> None:
    before = [GOOD, failure] * 4 + [GOOD]
    breaker, events = record_all(*before)
    assert events == ()
    breaker, events = record_all(failure, breaker=breaker)
    assert (events, breaker.open_until) == ((Event.OPENED,), NOW + INITIAL_COOLDOWN)


def test_failures_of_less_than_half_leave_the_breaker_closed() -> None:
    breaker, events = record_all(*[GOOD, GOOD, BUSY] * 20)
    assert (breaker.is_closed, events) == (True, ())


def test_failures_of_nine_exchanges_leave_the_breaker_closed() -> None:
    assert record_all(*[BUSY] * 9)[1] == ()
    assert record_all(*[BUSY] * 10)[1] == (Event.OPENED,)


def test_a_successful_exchange_leaves_the_breaker_closed_even_if_half_failed() -> None:
    breaker, events = record_all(*[BUSY] * 9, GOOD)
    assert (breaker.is_closed, events) == (True, ())


def test_exchanges_leave_the_window_after_five_minutes() -> None:
    breaker, _ = record_all(*[BUSY] * 9)
    breaker, events = record_all(BUSY, breaker=breaker, now=NOW + 5 * MINUTE)
    assert (events, len(breaker.window)) == ((), 1)

    breaker, _ = record_all(*[BUSY] * 9)
    breaker, events = record_all(BUSY, breaker=breaker, now=NOW + 4 * MINUTE + 59 * SECOND)
    assert events == (Event.OPENED,)


def test_exchanges_in_flight_when_the_breaker_opened_change_nothing() -> None:
    before = opened()
    after, events = record_all(*[REFUSED] * 20, *[GOOD] * 20, breaker=before, now=NOW + SECOND)
    assert events == ()
    assert (after.open_until, after.cooldown) == (before.open_until, before.cooldown)
    assert (after.consecutive_failures, after.consecutive_successes) == (0, 0)


def test_simultaneous_failures_open_the_breaker_once() -> None:
    assert record_all(*[REFUSED] * 32)[1] == (Event.OPENED,)


@pytest.mark.parametrize(
    ("outcome", "is_network_failure"),
    [(Outcome.UNAVAILABLE, True), (Outcome.UNAVAILABLE, False), (Outcome.UNKNOWN, True)],
)
def test_each_failed_trial_doubles_the_cooldown_up_to_fifteen_minutes(
    outcome: Outcome, is_network_failure: bool
) -> None:
    breaker, cooldowns = opened(), []
    for _ in range(7):
        ended = breaker.open_until
        breaker, events = finish_trial(outcome, breaker, is_network_failure=is_network_failure)
        assert events == ()
        assert ended is not None
        assert breaker.open_until is not None
        cooldowns.append((breaker.open_until - ended).total_seconds())
    assert cooldowns == [60, 120, 240, 480, 900, 900, 900]
    assert breaker.cooldown == MAX_COOLDOWN


def test_three_successful_trials_close_the_breaker() -> None:
    breaker = opened()
    ended = breaker.open_until
    for good in (1, 2):
        breaker, events = finish_trial(Outcome.DELIVERED, breaker)
        assert (breaker.consecutive_successes, breaker.open_until, events) == (good, ended, ())
    breaker, events = finish_trial(Outcome.DELIVERED, breaker)
    assert events == (Event.CLOSED,)
    assert ended is not None
    assert breaker == closed(ended)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.DUPLICATE, Outcome.THROTTLED])
def test_a_trial_succeeds_if_the_crm_answers(outcome: Outcome) -> None:
    assert finish_trial(outcome, opened())[0].consecutive_successes == 1


def test_a_failed_trial_resets_the_successes_and_doubles_the_cooldown() -> None:
    breaker = opened()
    for outcome in (Outcome.DELIVERED, Outcome.DELIVERED, Outcome.UNAVAILABLE):
        breaker, _ = finish_trial(outcome, breaker)
    assert (breaker.consecutive_successes, breaker.cooldown) == (0, INITIAL_COOLDOWN * 2)


def test_a_trial_that_was_never_sent_allows_another_at_once() -> None:
    now = NOW + INITIAL_COOLDOWN
    before = begin_half_open_trial(opened(), now, 35 * SECOND)
    unsent = ExchangeResult(outcome=Outcome.INVALID, is_trial=True)
    after, events = record(before, [unsent], now + SECOND)
    assert (after.open_until, after.consecutive_successes, events) == (now + SECOND, 0, ())
    assert capacity(after, max_in_flight=32, in_flight=0, now=now + SECOND) == 1


def test_a_late_trial_of_a_released_connection_is_an_ordinary_exchange() -> None:
    late = ExchangeResult(outcome=Outcome.UNAVAILABLE, is_network_failure=True, is_trial=True)
    breaker, events = record(closed(NOW), [late], NOW + SECOND)
    assert (breaker.is_closed, breaker.consecutive_failures, events) == (True, 1, ())


def test_three_refusals_of_the_credentials_in_a_row_hold_the_connection() -> None:
    assert record_all(UNAUTHORIZED, UNAUTHORIZED)[1] == ()
    assert record_all(UNAUTHORIZED, UNAUTHORIZED, GOOD, UNAUTHORIZED)[1] == ()
    breaker, events = record_all(UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED)
    assert (events, breaker.is_closed) == ((Event.HELD,), True)


def test_refused_credentials_hold_a_connection_whose_breaker_is_open_too() -> None:
    assert record_all(*[UNAUTHORIZED] * 3, breaker=opened())[1] == (Event.HELD,)


def test_a_response_that_says_gone_holds_the_connection_at_once() -> None:
    gone = ExchangeResult(outcome=Outcome.UNAVAILABLE, holds=True)
    assert record_all(gone)[1] == (Event.HELD,)


def test_only_failures_refusals_and_trials_are_significant() -> None:
    assert not any(one.is_significant for one in (GOOD, REJECTED, THROTTLED, UNSENT))
    assert all(one.is_significant for one in (REFUSED, TIMED_OUT, BUSY, UNAUTHORIZED))
    assert ExchangeResult(outcome=Outcome.DELIVERED, is_trial=True).is_significant
    assert ExchangeResult(outcome=Outcome.REJECTED, holds=True).is_significant


def test_an_open_breaker_has_no_capacity_and_a_half_open_one_has_it_for_one_trial() -> None:
    breaker = opened()
    end = NOW + INITIAL_COOLDOWN
    assert capacity(breaker, max_in_flight=32, in_flight=0, now=end - SECOND) == 0
    assert capacity(breaker, max_in_flight=32, in_flight=0, now=end) == 1
    assert capacity(breaker, max_in_flight=32, in_flight=1, now=end) == 0

    tried = begin_half_open_trial(breaker, end, 35 * SECOND)
    assert capacity(tried, max_in_flight=32, in_flight=0, now=end + 34 * SECOND) == 0
    assert capacity(tried, max_in_flight=32, in_flight=0, now=end + 35 * SECOND) == 1


def test_capacity_is_what_the_limit_leaves() -> None:
    assert capacity(Breaker(), max_in_flight=5, in_flight=3, now=NOW) == 2
    assert capacity(Breaker(), max_in_flight=5, in_flight=7, now=NOW) == 0


@pytest.mark.parametrize(
    ("seconds", "maximum"), [(0, 1), (1, 1), (2, 2), (4, 4), (8, 16), (18, 512), (20, 1_000_000)]
)
def test_the_limit_in_flight_doubles_every_two_seconds_after_the_breaker_closes(
    seconds: int, maximum: int
) -> None:
    now = NOW + seconds * SECOND
    assert capacity(closed(NOW), max_in_flight=2_000_000, in_flight=0, now=now) == maximum
    assert capacity(closed(NOW), max_in_flight=3, in_flight=0, now=now) == min(3, maximum)


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(-1, BreakerStatus.OPEN), (0, BreakerStatus.HALF_OPEN), (1, BreakerStatus.HALF_OPEN)],
)
def test_an_open_breaker_is_half_open_once_its_cooldown_is_over(
    seconds: int, status: BreakerStatus
) -> None:
    breaker = opened()
    assert breaker.status(NOW + INITIAL_COOLDOWN + seconds * SECOND) is status
    assert not breaker.is_closed


def test_a_breaker_is_closed_until_it_opens_and_after_it_has_closed() -> None:
    for breaker in (Breaker(), closed(NOW)):
        assert breaker.status(NOW) is BreakerStatus.CLOSED
        assert breaker.is_closed


def test_a_trial_keeps_the_breaker_open_until_it_has_timed_out() -> None:
    end = NOW + INITIAL_COOLDOWN
    breaker = begin_half_open_trial(opened(), end, 35 * SECOND)
    assert breaker.status(end + 34 * SECOND) is BreakerStatus.OPEN
    assert breaker.status(end + 35 * SECOND) is BreakerStatus.HALF_OPEN
