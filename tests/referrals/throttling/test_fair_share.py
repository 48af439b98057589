"""How a claim is divided: fairly, and within every limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.throttling.fair_share import ConnectionCapacity, share_fairly
from tests.connections.core.strategies import steady


def capacities(*rooms: int) -> list[ConnectionCapacity]:
    return [
        ConnectionCapacity(connection_id=number, capacity=capacity)
        for number, capacity in enumerate(rooms)
    ]


@pytest.mark.parametrize(
    ("rooms", "limit", "shares"),
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
def test_shares_are_fair(rooms: tuple[int, ...], limit: int, shares: dict[int, int]) -> None:
    assert share_fairly(capacities(*rooms), limit) == shares


@given(st.lists(st.integers(-3, 40), max_size=60), st.integers(0, 80))
@steady
def test_no_share_breaks_a_limit_and_nobody_starves(rooms: list[int], limit: int) -> None:
    shares = share_fairly(capacities(*rooms), limit)
    open_rooms = {number: capacity for number, capacity in enumerate(rooms) if capacity > 0}

    assert sum(shares.values()) == min(limit, sum(open_rooms.values()))
    assert all(1 <= share <= open_rooms[number] for number, share in shares.items())
    # The first in their order have one each before anybody has two.
    assert list(shares) == list(open_rooms)[:limit]


@given(st.lists(st.integers(1, 40), min_size=2, max_size=60), st.integers(1, 80))
@steady
def test_who_has_room_left_got_as_much_as_anybody_but_for_a_rest_of_one(
    rooms: list[int], limit: int
) -> None:
    shares = share_fairly(capacities(*rooms), limit)
    largest = max(shares.values())
    hungry = [number for number, capacity in enumerate(rooms) if shares.get(number, 0) < capacity]
    assert all(shares.get(number, 0) >= largest - 1 for number in hungry)
