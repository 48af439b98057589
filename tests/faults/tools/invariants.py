"""The invariants of deliveries: the log compared with the requests that the CRM received.

Every accepted referral has a final outcome or a due time; every request that the CRM received is an
attempt in the log or an `unknown`; no delivery has two successes without an `unknown` between them.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from connections.simulator.store import ReceivedRequest

Query = Callable[[str], list[tuple[Any, ...]]]

_DELIVERIES = """
SELECT d.id, d.referral_id, d.connection_id, r.external_id, d.status, d.due_at IS NOT NULL,
       d.claimed_at IS NOT NULL
FROM referrals_delivery d JOIN referrals_referral r ON r.id = d.referral_id
"""
_ATTEMPTS = """
SELECT delivery_id, number, outcome, trigger, response_status IS NOT NULL
FROM referrals_deliveryattempt ORDER BY delivery_id, number
"""


@dataclass(frozen=True)
class Attempt:
    """One row of the log."""

    number: int
    outcome: str
    trigger: str
    has_response: bool

    @property
    def may_have_arrived(self) -> bool:
        """Whether the CRM may have received its request."""
        return self.has_response or self.outcome == "unknown"


@dataclass(kw_only=True)
class Delivery:
    """One delivery with its attempts, and the requests that the CRM received of it."""

    name: str
    status: str
    is_due: bool
    is_in_flight: bool
    attempts: list[Attempt] = field(default_factory=list)
    successes: list[bool] = field(default_factory=list)
    """For each request, in order: whether the CRM's response was a success."""

    @property
    def is_lost(self) -> bool:
        """Whether it is neither final nor due at some time."""
        return (self.status == "pending") != self.is_due

    @property
    def is_unlogged(self) -> bool:
        """Whether the CRM received more requests than are in the log or in flight."""
        logged = sum(attempt.may_have_arrived for attempt in self.attempts)
        return len(self.successes) > logged + self.is_in_flight

    @property
    def is_duplicated_unseen(self) -> bool:
        """Whether it has more successes than one, plus one for each `unknown` or replay."""
        explained = sum(
            attempt.outcome == "unknown" or attempt.trigger == "replay" for attempt in self.attempts
        )
        return sum(self.successes) > 1 + explained + self.is_in_flight


@dataclass(frozen=True, kw_only=True)
class InvariantReport:
    """The result of the comparison; the three lists must be empty."""

    deliveries: int
    lost: list[str]
    unlogged: list[str]
    duplicated: list[str]
    unknown: int
    statuses: Counter[str]
    requests: int

    def raise_if_violated(self) -> None:
        """Raise AssertionError if an invariant is violated."""
        assert not self.lost, f"lost: {self.lost[:5]} of {len(self.lost)}"
        assert not self.unlogged, f"sent and not logged: {self.unlogged[:5]}"
        assert not self.duplicated, f"sent twice unseen: {self.duplicated[:5]}"


def build_invariant_report(
    query: Query, received: Iterable[ReceivedRequest], accepted: Iterable[str]
) -> InvariantReport:
    """Compare the database, what the CRM received, and what the API accepted."""
    by_id: dict[int, Delivery] = {}
    by_key: dict[str, Delivery] = {}
    for id_, referral, connection, name, status, is_due, is_in_flight in query(_DELIVERIES):
        delivery = Delivery(
            name=name, status=status, is_due=bool(is_due), is_in_flight=bool(is_in_flight)
        )
        by_id[id_] = by_key[f"{uuid.UUID(str(referral))}-{connection}"] = delivery
    for id_, number, outcome, trigger, has_response in query(_ATTEMPTS):
        by_id[id_].attempts.append(Attempt(number, outcome, trigger, bool(has_response)))
    unmatched = _add_requests(by_key, received)
    deliveries = list(by_id.values())
    missing = set(accepted) - {one.name for one in deliveries}
    return InvariantReport(
        deliveries=len(deliveries),
        lost=[*missing, *(one.name for one in deliveries if one.is_lost)],
        unlogged=[*unmatched, *(one.name for one in deliveries if one.is_unlogged)],
        duplicated=[one.name for one in deliveries if one.is_duplicated_unseen],
        unknown=sum(a.outcome == "unknown" for one in deliveries for a in one.attempts),
        statuses=Counter(one.status for one in deliveries),
        requests=sum(len(one.successes) for one in deliveries),
    )


def _add_requests(by_key: dict[str, Delivery], received: Iterable[ReceivedRequest]) -> list[str]:
    """Add to each delivery the requests that the CRM received; return keys without a delivery."""
    unmatched = set()
    for request in received:
        key = request.headers.get("Idempotency-Key", "none")
        if key in by_key:
            # The simulator responds 400 for a person who is a member already.
            by_key[key].successes.append(request.status in (200, 400))
        else:
            unmatched.add(key)
    return sorted(unmatched)
