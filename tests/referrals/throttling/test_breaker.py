"""When a connection is rested, probed, ramped up and held, and what its token bucket gives."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.core.response.outcomes import Outcome
from referrals.throttling.breaker import (
    INITIAL_COOLDOWN,
    MAX_COOLDOWN,
    Breaker,
    Event,
    ExchangeResult,
    begin_half_open_trial,
    capacity,
    observe,
    tokens,
    well,
)
from tests.connections.core.strategies import steady
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


def see(
    *exchange_results: ExchangeResult, health: Breaker | None = None, now: datetime = NOW
) -> tuple[Breaker, tuple[Event, ...]]:
    return observe(health or Breaker(), exchange_results, now)


def probe(
    outcome: Outcome, health: Breaker, *, is_network_failure: bool = False
) -> tuple[Breaker, tuple[Event, ...]]:
    """Judge a probe in the moment in which the rest is over."""
    now = health.open_until or NOW
    seen = ExchangeResult(outcome=outcome, is_trial=True, is_network_failure=is_network_failure)
    return observe(health, [seen], now)


def opened() -> Breaker:
    return see(*[REFUSED] * 5)[0]


@pytest.mark.parametrize("failure", [REFUSED, TIMED_OUT])
def test_five_network_failures_in_a_row_open_it(failure: ExchangeResult) -> None:
    health, events = see(*[failure] * 4)
    assert (health.is_closed, health.consecutive_failures, events) == (True, 4, ())

    health, events = see(failure, health=health)
    assert events == (Event.OPENED,)
    assert (health.open_until, health.rest) == (NOW + INITIAL_COOLDOWN, INITIAL_COOLDOWN)


@pytest.mark.parametrize("answer", [GOOD, REJECTED, THROTTLED, UNAUTHORIZED, BUSY])
def test_any_answer_ends_the_row(answer: ExchangeResult) -> None:
    health, events = see(*[REFUSED] * 4, answer, *[REFUSED] * 4)
    assert (health.consecutive_failures, events) == (4, ())


def test_what_was_never_sent_says_nothing() -> None:
    health, events = see(*[REFUSED] * 4, *[UNSENT] * 20, UNAUTHORIZED, UNAUTHORIZED, UNSENT)
    assert events == ()
    assert health.consecutive_unauthorized == 2
    assert sum(minute.exchanges for minute in health.window) == 6

    assert see(UNSENT, REFUSED, health=see(*[REFUSED] * 4)[0])[1] == (Event.OPENED,)


@pytest.mark.parametrize("failure", [BUSY, TIMED_OUT])
def test_half_of_ten_exchanges_open_it(failure: ExchangeResult) -> None:
    before = [GOOD, failure] * 4 + [GOOD]
    health, events = see(*before)
    assert events == ()
    health, events = see(failure, health=health)
    assert (events, health.open_until) == ((Event.OPENED,), NOW + INITIAL_COOLDOWN)


def test_less_than_half_leave_it_closed() -> None:
    health, events = see(*[GOOD, GOOD, BUSY] * 20)
    assert (health.is_closed, events) == (True, ())


def test_nine_exchanges_are_too_few_to_judge() -> None:
    assert see(*[BUSY] * 9)[1] == ()
    assert see(*[BUSY] * 10)[1] == (Event.OPENED,)


def test_a_good_exchange_opens_nothing_even_where_half_failed() -> None:
    health, events = see(*[BUSY] * 9, GOOD)
    assert (health.is_closed, events) == (True, ())


def test_exchanges_leave_the_window_after_five_minutes() -> None:
    health, _ = see(*[BUSY] * 9)
    health, events = see(BUSY, health=health, now=NOW + 5 * MINUTE)
    assert (events, len(health.window)) == ((), 1)

    health, _ = see(*[BUSY] * 9)
    health, events = see(BUSY, health=health, now=NOW + 4 * MINUTE + 59 * SECOND)
    assert events == (Event.OPENED,)


def test_what_was_in_flight_when_it_opened_says_nothing_new() -> None:
    before = opened()
    after, events = see(*[REFUSED] * 20, *[GOOD] * 20, health=before, now=NOW + SECOND)
    assert events == ()
    assert (after.open_until, after.rest) == (before.open_until, before.rest)
    assert (after.consecutive_failures, after.consecutive_successes) == (0, 0)


def test_what_failed_together_is_told_once() -> None:
    assert see(*[REFUSED] * 32)[1] == (Event.OPENED,)


@pytest.mark.parametrize(
    ("outcome", "is_network_failure"),
    [(Outcome.UNAVAILABLE, True), (Outcome.UNAVAILABLE, False), (Outcome.UNKNOWN, True)],
)
def test_each_bad_probe_doubles_the_rest_up_to_fifteen_minutes(
    outcome: Outcome, is_network_failure: bool
) -> None:
    health, rests = opened(), []
    for _ in range(7):
        ended = health.open_until
        health, events = probe(outcome, health, is_network_failure=is_network_failure)
        assert events == ()
        assert ended is not None
        assert health.open_until is not None
        rests.append((health.open_until - ended).total_seconds())
    assert rests == [60, 120, 240, 480, 900, 900, 900]
    assert health.rest == MAX_COOLDOWN


def test_three_good_probes_close_it() -> None:
    health = opened()
    ended = health.open_until
    for good in (1, 2):
        health, events = probe(Outcome.DELIVERED, health)
        assert (health.consecutive_successes, health.open_until, events) == (good, ended, ())
    health, events = probe(Outcome.DELIVERED, health)
    assert events == (Event.CLOSED,)
    assert ended is not None
    assert health == well(ended)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.DUPLICATE, Outcome.THROTTLED])
def test_a_probe_is_good_where_the_crm_answers(outcome: Outcome) -> None:
    assert probe(outcome, opened())[0].consecutive_successes == 1


def test_a_bad_probe_begins_the_row_anew_and_keeps_the_rest() -> None:
    health = opened()
    for outcome in (Outcome.DELIVERED, Outcome.DELIVERED, Outcome.UNAVAILABLE):
        health, _ = probe(outcome, health)
    assert (health.consecutive_successes, health.rest) == (0, INITIAL_COOLDOWN * 2)


def test_a_probe_that_was_never_sent_lets_another_begin_at_once() -> None:
    now = NOW + INITIAL_COOLDOWN
    before = begin_half_open_trial(opened(), now, 35 * SECOND)
    seen = ExchangeResult(outcome=Outcome.INVALID, is_trial=True)
    after, events = observe(before, [seen], now + SECOND)
    assert (after.open_until, after.consecutive_successes, events) == (now + SECOND, 0, ())
    assert capacity(after, most=32, in_flight=0, now=now + SECOND) == 1


def test_a_late_probe_of_a_connection_that_was_released_is_an_ordinary_exchange() -> None:
    late = ExchangeResult(outcome=Outcome.UNAVAILABLE, is_network_failure=True, is_trial=True)
    health, events = observe(well(NOW), [late], NOW + SECOND)
    assert (health.is_closed, health.consecutive_failures, events) == (True, 1, ())


def test_three_refusals_of_the_credentials_in_a_row_hold_the_connection() -> None:
    assert see(UNAUTHORIZED, UNAUTHORIZED)[1] == ()
    assert see(UNAUTHORIZED, UNAUTHORIZED, GOOD, UNAUTHORIZED)[1] == ()
    health, events = see(UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED)
    assert (events, health.is_closed) == ((Event.HELD,), True)


def test_refused_credentials_hold_a_resting_connection_too() -> None:
    assert see(*[UNAUTHORIZED] * 3, health=opened())[1] == (Event.HELD,)


def test_an_answer_that_says_gone_holds_at_once() -> None:
    gone = ExchangeResult(outcome=Outcome.UNAVAILABLE, holds=True)
    assert see(gone)[1] == (Event.HELD,)


def test_only_bad_news_and_probes_are_news() -> None:
    assert not any(one.is_significant for one in (GOOD, REJECTED, THROTTLED, UNSENT))
    assert all(one.is_significant for one in (REFUSED, TIMED_OUT, BUSY, UNAUTHORIZED))
    assert ExchangeResult(outcome=Outcome.DELIVERED, is_trial=True).is_significant
    assert ExchangeResult(outcome=Outcome.REJECTED, holds=True).is_significant


def test_there_is_no_room_while_it_rests_and_for_one_probe_after() -> None:
    health = opened()
    end = NOW + INITIAL_COOLDOWN
    assert capacity(health, most=32, in_flight=0, now=end - SECOND) == 0
    assert capacity(health, most=32, in_flight=0, now=end) == 1
    assert capacity(health, most=32, in_flight=1, now=end) == 0

    probed = begin_half_open_trial(health, end, 35 * SECOND)
    assert capacity(probed, most=32, in_flight=0, now=end + 34 * SECOND) == 0
    assert capacity(probed, most=32, in_flight=0, now=end + 35 * SECOND) == 1


def test_room_is_what_the_limit_leaves() -> None:
    assert capacity(Breaker(), most=5, in_flight=3, now=NOW) == 2
    assert capacity(Breaker(), most=5, in_flight=7, now=NOW) == 0


@pytest.mark.parametrize(
    ("seconds", "most"), [(0, 1), (1, 1), (2, 2), (4, 4), (8, 16), (18, 512), (20, 1_000_000)]
)
def test_after_a_rest_twice_as_many_may_be_in_flight_every_two_seconds(
    seconds: int, most: int
) -> None:
    now = NOW + seconds * SECOND
    assert capacity(well(NOW), most=2_000_000, in_flight=0, now=now) == most
    assert capacity(well(NOW), most=3, in_flight=0, now=now) == min(3, most)


@given(
    st.floats(0.1, 200),
    st.lists(st.floats(0, 0.7), min_size=1, max_size=150),
    st.floats(0, 200),
)
@steady
def test_no_second_ever_sees_more_than_the_rate_and_one_burst(
    rate: float, pauses: list[float], left: float
) -> None:
    burst = max(1.0, rate / 10)
    left, since, now = min(left, burst), NOW, NOW
    spent: list[tuple[datetime, int]] = []
    for pause in pauses:
        now += timedelta(seconds=pause)
        held = tokens(left, rate, since, now)
        left, since = held - int(held), now
        spent.append((now, int(held)))
    for start, _ in spent:
        in_second = [count for at, count in spent if start <= at < start + SECOND]
        assert sum(in_second) <= rate + burst + 1e-6


def test_tokens_come_back_with_time_up_to_one_burst() -> None:
    assert tokens(0, 5, NOW, NOW + SECOND / 5) == 1.0
    assert tokens(0, 5, NOW, NOW + MINUTE) == 1.0
    assert tokens(0, 100, NOW, NOW + MINUTE) == 10.0
    assert tokens(0.5, 100, NOW, NOW) == 0.5


def test_a_clock_that_was_put_back_takes_no_tokens_away() -> None:
    assert tokens(0.5, 5, NOW + MINUTE, NOW) == 0.5
