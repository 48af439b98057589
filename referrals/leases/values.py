"""Claims and their results, as values."""

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
class Claim:
    """A delivery that was claimed for one attempt, with what the attempt needs.

    `previous_claimed_at` is when an earlier claim was made that was never completed.
    `attributes` are the referral's as stored.
    """

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
    """What becomes of a claimed delivery.

    `attempt` has the columns of the attempt's row, or is None if nothing was sent.
    """

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
        """Return True if the attempt began after this moment, or if nothing was sent."""
        return self.attempt is None or bool(self.attempt["started_at"] > moment)


def build_lost_attempt(claim: Claim, now: datetime) -> DeliveryAttempt:
    """Return the unsaved row of the attempt before this claim, of which nothing is known."""
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
