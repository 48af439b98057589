"""One connection as the pump needs it during a slice, and what an attempt over it comes to.

Pure but for the sending itself: prepared once from its row, used by many threads, it touches no
database.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connections.attempt import Attempt, prepare
from connections.attributes import Attribute, CampaignKind, shareable
from connections.client import Client
from connections.http.outcomes import Outcome
from connections.http.rules import Classification
from connections.models import Connection
from connections.models.exchanges import exchange_columns
from referrals.breaker import Observation
from referrals.claims import Claim, Completion, clock
from referrals.models.deliveries import idempotency_key
from referrals.schedule import policy_of, settle
from referrals.states import Cause

_LOST = Classification(outcome=Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A claim that a thread is done with, and what is to be recorded and learned of it."""

    claim: Claim
    attempt: Attempt
    completion: Completion

    @property
    def observation(self) -> Observation:
        """The exchange as the breaker sees it."""
        meaning, exchange = self.attempt.meaning, self.attempt.exchange
        is_silent = meaning.outcome in (Outcome.UNAVAILABLE, Outcome.UNKNOWN)
        return Observation(
            outcome=meaning.outcome,
            is_network_failure=is_silent and exchange.response is None,
            is_probe=self.claim.is_probe,
            holds=meaning.holds_connection,
            reason=exchange.request.mask.in_text(meaning.reason),
        )


class Channel:
    """Attempts over one connection."""

    def __init__(self, row: Connection) -> None:
        self._prepared = prepare(row)
        self._catalogue: Mapping[str, Attribute] = row.account.catalogue()
        self._policy = policy_of(self._prepared.spec.limits, self._prepared.spec.on_unknown)

    def deliver(self, client: Client, claim: Claim) -> Finished:
        """One attempt with the attributes that this kind of campaign may share."""
        started_at = clock.now()
        kind = CampaignKind(claim.campaign_kind)
        attributes = shareable(claim.attributes, kind, self._catalogue)
        key = idempotency_key(claim.referral_id, claim.connection_id)
        attempt = self._prepared.attempt(client, attributes, key)
        columns = {
            **exchange_columns(attempt.exchange, attempt.meaning, attempt.rule),
            "cause": claim.cause.value,
            "started_at": started_at,
        }
        completion = self._completion(claim, attempt.meaning, claim.step, columns)
        return Finished(claim=claim, attempt=attempt, completion=completion)

    def give_up(self, claim: Claim) -> Completion | None:
        """How to settle a delivery whose lost attempt was its last, or that its CRM must not get
        twice; None where it is to be sent again. The lost attempt has its row already."""
        if claim.lost_at is None:
            return None
        completion = self._completion(claim, _LOST, claim.step - 1, None)
        return None if completion.status.is_pending else completion

    def _completion(
        self,
        claim: Claim,
        meaning: Classification,
        step: int,
        columns: Mapping[str, Any] | None,
    ) -> Completion:
        now = clock.now()
        settlement = settle(
            meaning,
            step=step,
            age=(now - claim.created_at).total_seconds(),
            policy=self._policy,
            jitter=random.random(),  # noqa: S311 - it spreads load, it guards nothing.
        )
        is_pending = settlement.status.is_pending
        return Completion(
            delivery_id=claim.delivery_id,
            number=claim.number,
            status=settlement.status,
            outcome=meaning.outcome.value,
            step=settlement.step,
            due_at=_after(now, settlement.wait) if is_pending else None,
            settled_at=None if is_pending else now,
            next_cause=Cause.RETRY,
            attempt=columns,
        )


def _after(now: datetime, seconds: float | None) -> datetime:
    return now + timedelta(seconds=seconds or 0.0)
