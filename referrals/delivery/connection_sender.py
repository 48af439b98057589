"""Attempts over one connection.

A sender is prepared once from the connection's row and used by many threads. It touches no
database; sending is its only I/O.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connections.attempt import Attempt, prepare
from connections.core.attributes import Attribute, CampaignKind, shareable
from connections.core.response.matching import Classification
from connections.core.response.outcomes import Outcome
from connections.models import Connection
from connections.models.exchanges import exchange_columns
from connections.transport import Client
from referrals import db_clock
from referrals.delivery.retry import build_policy, decide_next
from referrals.leases import Claim, ClaimResult
from referrals.models.deliveries import idempotency_key
from referrals.statuses import Trigger
from referrals.throttling.breaker import ExchangeResult

_LOST = Classification(outcome=Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedAttempt:
    """A claim that a thread is done with, its attempt, and the result to be recorded."""

    claim: Claim
    attempt: Attempt
    result: ClaimResult

    @property
    def exchange_result(self) -> ExchangeResult:
        """Return the exchange as the breaker sees it."""
        meaning, exchange = self.attempt.meaning, self.attempt.exchange
        is_silent = meaning.outcome in (Outcome.UNAVAILABLE, Outcome.UNKNOWN)
        return ExchangeResult(
            outcome=meaning.outcome,
            is_network_failure=is_silent and exchange.response is None,
            is_trial=self.claim.is_trial,
            holds=meaning.holds_connection,
            reason=exchange.request.mask.in_text(meaning.reason),
        )


class ConnectionSender:
    """Makes attempts over one connection; safe to use from many threads."""

    def __init__(self, row: Connection) -> None:
        self._prepared = prepare(row)
        self._catalogue: Mapping[str, Attribute] = row.account.catalogue()
        self._policy = build_policy(self._prepared.spec.limits, self._prepared.spec.on_unknown)

    def deliver(self, client: Client, claim: Claim) -> FinishedAttempt:
        """Make one attempt, with the attributes that this kind of campaign may share."""
        started_at = db_clock.now()
        kind = CampaignKind(claim.campaign_kind)
        attributes = shareable(claim.attributes, kind, self._catalogue)
        key = idempotency_key(claim.referral_id, claim.connection_id)
        attempt = self._prepared.attempt(client, attributes, key)
        columns = {
            **exchange_columns(attempt.exchange, attempt.meaning, attempt.rule),
            "trigger": claim.trigger.value,
            "started_at": started_at,
        }
        result = self._build_result(claim, attempt.meaning, claim.attempts_used, columns)
        return FinishedAttempt(claim=claim, attempt=attempt, result=result)

    def build_lost_result(self, claim: Claim) -> ClaimResult | None:
        """Return the result of a reclaimed delivery that must not be sent again, else None.

        It must not if the lost attempt was the schedule's last, or if the connection holds what is
        unknown. The lost attempt has its row already.
        """
        if claim.previous_claimed_at is None:
            return None
        result = self._build_result(claim, _LOST, claim.attempts_used - 1, None)
        return None if result.status.is_pending else result

    def _build_result(
        self,
        claim: Claim,
        meaning: Classification,
        attempts_used: int,
        columns: Mapping[str, Any] | None,
    ) -> ClaimResult:
        now = db_clock.now()
        decision = decide_next(
            meaning,
            attempts_used=attempts_used,
            age=(now - claim.created_at).total_seconds(),
            policy=self._policy,
            jitter=random.random(),  # noqa: S311 - it spreads load, it guards nothing.
        )
        is_pending = decision.status.is_pending
        return ClaimResult(
            delivery_id=claim.delivery_id,
            number=claim.number,
            status=decision.status,
            outcome=meaning.outcome.value,
            attempts_used=decision.attempts_used,
            due_at=now + timedelta(seconds=decision.wait or 0.0) if is_pending else None,
            finished_at=None if is_pending else now,
            next_trigger=Trigger.RETRY,
            attempt=columns,
        )
