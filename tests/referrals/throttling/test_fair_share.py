"""Tests of sharing a claim fairly among connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.throttling.fair_share import ConnectionCapacity, share_fairly
from tests.connections.core.properties.strategies import many_examples


def capacities(*values: int) -> list[ConnectionCapacity]:
    return [
        ConnectionCapacity(connection_id=number, capacity=capacity)
        for number, capacity in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "limit", "shares"),
    [
        ((), 32, {}),
        ((32,), 0, {}),
        ((0, 0), 32, {}),
        ((32,), 8, {0: 8}),
        ((3,), 32, {0: 3}),
        ((32, 32), 32, {0: 16, 1: 16}),
        ((1, 32), 32, {0: 1, 1: 31}),
        ((0, 32), 32, {1: 32}),
        ((32, 32, 32), 8, {0: 3, 1: 3, 2: 2}),
        ((5, 5, 32), 32, {0: 5, 1: 5, 2: 22}),
        ((32,) * 40, 32, dict.fromkeys(range(32), 1)),
        ((-7, 1), 4, {1: 1}),
    ],
)
def test_shares_are_fair(values: tuple[int, ...], limit: int, shares: dict[int, int]) -> None:
    assert share_fairly(capacities(*values), limit) == shares


@given(st.lists(st.integers(-3, 40), max_size=60), st.integers(0, 80))
@many_examples
def test_no_share_exceeds_a_limit_and_no_connection_starves(values: list[int], limit: int) -> None:
    shares = share_fairly(capacities(*values), limit)
    open_ones = {number: capacity for number, capacity in enumerate(values) if capacity > 0}

    assert sum(shares.values()) == min(limit, sum(open_ones.values()))
    assert all(1 <= share <= open_ones[number] for number, share in shares.items())
    # The first in their order have one each before anybody has two.
    assert list(shares) == list(open_ones)[:limit]


@given(st.lists(st.integers(1, 40), min_size=2, max_size=60), st.integers(1, 80))
@many_examples
def test_a_connection_with_capacity_left_gets_at_most_one_less_than_any_other(
    values: list[int], limit: int
) -> None:
    shares = share_fairly(capacities(*values), limit)
    largest = max(shares.values())
    unfilled = [
        number for number, capacity in enumerate(values) if shares.get(number, 0) < capacity
    ]
    assert all(shares.get(number, 0) >= largest - 1 for number in unfilled)
