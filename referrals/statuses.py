"""The states of a delivery and the causes of an attempt, as closed lists; knows no model."""

from __future__ import annotations

from enum import StrEnum

from connections.core.response.outcomes import Outcome


class DeliveryStatus(StrEnum):
    """Where a delivery stands: pending, or what became of it."""

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
        """Whether an attempt is still to come by itself."""
        return self is DeliveryStatus.PENDING


NEEDING_A_PERSON = (
    DeliveryStatus.UNAUTHORIZED,
    DeliveryStatus.UNRECOGNISED,
    DeliveryStatus.UNKNOWN,
)
"""What no attempt settles by itself, until somebody has looked."""


class Trigger(StrEnum):
    """Why an attempt was made."""

    FIRST = "first"
    RETRY = "retry"
    REPLAY = "replay"


def final_status(outcome: Outcome) -> DeliveryStatus:
    """The status of a delivery whose last outcome this is."""
    if outcome is Outcome.THROTTLED:
        return DeliveryStatus.UNAVAILABLE
    return DeliveryStatus(outcome.value)
