"""How many deliveries of each connection a claim may take: fair shares in all limits; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCapacity:
    """A connection with something due, and how many more of it may be in flight now."""

    connection_id: int
    capacity: int
    is_trial: bool = False


def share_fairly(capacities: Sequence[ConnectionCapacity], limit: int) -> dict[int, int]:
    """Divide `limit` among the lanes, in their order: a connection with little room leaves its
    share to the others, and none gets a second one before all have their first."""
    shares = dict.fromkeys((lane.connection_id for lane in capacities if lane.capacity > 0), 0)
    hungry = [lane for lane in capacities if lane.capacity > 0]
    left = limit
    while hungry and left > 0:
        each = max(1, left // len(hungry))
        for lane in hungry:
            given = min(each, left, lane.capacity - shares[lane.connection_id])
            shares[lane.connection_id] += given
            left -= given
        hungry = [lane for lane in hungry if shares[lane.connection_id] < lane.capacity]
    return {connection_id: share for connection_id, share in shares.items() if share > 0}
