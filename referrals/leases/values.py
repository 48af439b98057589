"""What is claimed and what completes it, as values; knows no SQL."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.core.messages import ErrorCode
from connections.core.response.outcomes import Outcome
from referrals.models import DeliveryAttempt
from referrals.statuses import DeliveryStatus, Trigger

_LOST = "The worker that was sending this stopped before it could record an answer."


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingConnection:
    """A connection with something due, as the database tells of it without a lock: its limits as
    stored, whether there is a row of its health and what that says of the breaker, and how many
    attempts are in flight, the oldest since `oldest_in_flight_since`; lost ones don't count."""

    connection_id: int
    limits: Mapping[str, Any]
    has_breaker: bool
    open_until: datetime | None
    closed_at: datetime | None
    in_flight: int
    oldest_in_flight_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery taken for one attempt. `lost_at` is when an attempt before it was begun and never
    recorded; the attributes are the referral's as stored."""

    delivery_id: int
    number: int
    connection_id: int
    referral_id: uuid.UUID
    attempts_used: int
    trigger: Trigger
    created_at: datetime
    previous_claimed_at: datetime | None
    campaign_kind: str
    is_trial: bool = False
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """What becomes of a claimed delivery. `attempt` holds the columns of the attempt's row, or is
    None where nothing was sent and the claim is only given back."""

    delivery_id: int
    number: int
    status: DeliveryStatus
    outcome: str
    attempts_used: int
    due_at: datetime | None
    finished_at: datetime | None
    next_trigger: Trigger
    attempt: Mapping[str, Any] | None

    def began_after(self, moment: datetime) -> bool:
        """Whether the attempt is younger than this; one that was never sent has no age."""
        return self.attempt is None or bool(self.attempt["started_at"] > moment)


def lost_attempt(claim: Claim, now: datetime) -> DeliveryAttempt:
    """The row for an attempt that was begun before this claim and of which nothing is known."""
    assert claim.previous_claimed_at is not None  # noqa: S101 - for the type checker.
    return DeliveryAttempt(
        delivery_id=claim.delivery_id,
        number=claim.number - 1,
        trigger=claim.trigger,
        started_at=claim.previous_claimed_at,
        duration_ms=round((now - claim.previous_claimed_at).total_seconds() * 1000),
        outcome=Outcome.UNKNOWN,
        reason=_LOST,
        error_code=ErrorCode.LEASE_LOST,
        error_message=_LOST,
    )
