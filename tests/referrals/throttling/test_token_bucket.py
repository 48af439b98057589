"""Tests of the token bucket."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from referrals.throttling.token_bucket import refill
from tests.connections.core.properties.strategies import many_examples
from tests.referrals.factories import NOW

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@given(
    st.floats(0.1, 200),
    st.lists(st.floats(0, 0.7), min_size=1, max_size=150),
    st.floats(0, 200),
)
@many_examples
def test_no_second_allows_more_than_the_rate_and_one_burst(
    rate: float, pauses: list[float], left: float
) -> None:
    burst = max(1.0, rate / 10)
    left, since, now = min(left, burst), NOW, NOW
    spent: list[tuple[datetime, int]] = []
    for pause in pauses:
        now += timedelta(seconds=pause)
        held = refill(left, per_second=rate, since=since, now=now)
        left, since = held - int(held), now
        spent.append((now, int(held)))
    for start, _ in spent:
        in_second = [count for at, count in spent if start <= at < start + SECOND]
        assert sum(in_second) <= rate + burst + 1e-6


def test_tokens_refill_with_time_up_to_one_burst() -> None:
    assert refill(0, per_second=5, since=NOW, now=NOW + SECOND / 5) == 1.0
    assert refill(0, per_second=5, since=NOW, now=NOW + MINUTE) == 1.0
    assert refill(0, per_second=100, since=NOW, now=NOW + MINUTE) == 10.0
    assert refill(0.5, per_second=100, since=NOW, now=NOW) == 0.5


def test_a_clock_that_was_set_back_removes_no_tokens() -> None:
    assert refill(0.5, per_second=5, since=NOW + MINUTE, now=NOW) == 0.5
