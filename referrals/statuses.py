"""The statuses of deliveries and the triggers of attempts; pure."""

from __future__ import annotations

from enum import StrEnum

from connections.core.response.outcomes import Outcome


class DeliveryStatus(StrEnum):
    """Pending, or what became of the delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    UNAVAILABLE = "unavailable"
    UNAUTHORIZED = "unauthorized"
    UNKNOWN = "unknown"
    UNRECOGNISED = "unrecognised"
    INVALID = "invalid"
    CANCELLED = "cancelled"

    @property
    def is_pending(self) -> bool:
        """Return True while another attempt comes by itself."""
        return self is DeliveryStatus.PENDING


NEEDING_A_PERSON = (
    DeliveryStatus.UNAUTHORIZED,
    DeliveryStatus.UNRECOGNISED,
    DeliveryStatus.UNKNOWN,
)
"""Statuses that no further attempt changes until a person has looked."""


class Trigger(StrEnum):
    """What triggered an attempt: the referral, the schedule, or a person who asked for a replay."""

    FIRST = "first"
    RETRY = "retry"
    REPLAY = "replay"


def final_status(outcome: Outcome) -> DeliveryStatus:
    """Return the status of a delivery that ends with this outcome."""
    if outcome is Outcome.THROTTLED:
        return DeliveryStatus.UNAVAILABLE
    return DeliveryStatus(outcome.value)
