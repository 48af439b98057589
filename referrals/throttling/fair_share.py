"""How many deliveries of each connection a claim may take; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCapacity:
    """A connection with something due, and how many more of its deliveries may be in flight."""

    connection_id: int
    capacity: int
    is_trial: bool = False


def share_fairly(capacities: Sequence[ConnectionCapacity], limit: int) -> dict[int, int]:
    """Return each connection's share of `limit`, in the order of `capacities`.

    A connection with little capacity leaves the rest of its share to the others, and none gets a
    second one before all have their first.
    """
    unfilled = [one for one in capacities if one.capacity > 0]
    shares = dict.fromkeys((one.connection_id for one in unfilled), 0)
    left = limit
    while unfilled and left > 0:
        each = max(1, left // len(unfilled))
        for one in unfilled:
            given = min(each, left, one.capacity - shares[one.connection_id])
            shares[one.connection_id] += given
            left -= given
        unfilled = [one for one in unfilled if shares[one.connection_id] < one.capacity]
    return {connection_id: share for connection_id, share in shares.items() if share > 0}
