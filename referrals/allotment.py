"""How many deliveries of each connection a claim may take: fair shares in all limits; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A connection with something due, and how many more of it may be in flight now."""

    connection_id: int
    room: int
    is_probe: bool = False


def allot(lanes: Sequence[Lane], limit: int) -> dict[int, int]:
    """Divide `limit` among the lanes, in their order: a connection with little room leaves its
    share to the others, and none gets a second one before all have their first."""
    shares = dict.fromkeys((lane.connection_id for lane in lanes if lane.room > 0), 0)
    hungry = [lane for lane in lanes if lane.room > 0]
    left = limit
    while hungry and left > 0:
        each = max(1, left // len(hungry))
        for lane in hungry:
            given = min(each, left, lane.room - shares[lane.connection_id])
            shares[lane.connection_id] += given
            left -= given
        hungry = [lane for lane in hungry if shares[lane.connection_id] < lane.room]
    return {connection_id: share for connection_id, share in shares.items() if share > 0}
