"""The invariants of deliveries, checked against the log and what the CRM received.

Every accepted referral ends in a final outcome or visibly waits; every request that the CRM
received is an attempt in the log or an `unknown`; no delivery has two successes unless an `unknown`
stands between.
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
    is_answered: bool

    @property
    def may_have_arrived(self) -> bool:
        """Whether a request of it may be among those that the CRM saw."""
        return self.is_answered or self.outcome == "unknown"


@dataclass(kw_only=True)
class Delivery:
    """One delivery with its log, and with the answers to what the CRM saw of it."""

    name: str
    status: str
    is_due: bool
    is_in_flight: bool
    attempts: list[Attempt] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)
    """Whether each request was a success, in the order in which they came."""

    @property
    def is_lost(self) -> bool:
        """Whether it is neither final nor waiting for a moment."""
        return (self.status == "pending") != self.is_due

    @property
    def is_unlogged(self) -> bool:
        """Whether the CRM received more of it than the log and what is in flight account for."""
        logged = sum(attempt.may_have_arrived for attempt in self.attempts)
        return len(self.answers) > logged + self.is_in_flight

    @property
    def is_duplicated_unseen(self) -> bool:
        """Whether it had two successes without an `unknown`, or a person's wish, for each more."""
        excused = sum(one.outcome == "unknown" or one.trigger == "replay" for one in self.attempts)
        return sum(self.answers) > 1 + excused + self.is_in_flight


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The result of the comparison; the three lists must be empty."""

    deliveries: int
    lost: list[str]
    unlogged: list[str]
    duplicated: list[str]
    unknown: int
    statuses: Counter[str]
    requests: int

    def check(self) -> None:
        """Raise AssertionError where an invariant is broken."""
        assert not self.lost, f"lost: {self.lost[:5]} of {len(self.lost)}"
        assert not self.unlogged, f"sent and not logged: {self.unlogged[:5]}"
        assert not self.duplicated, f"sent twice unseen: {self.duplicated[:5]}"


def tally(query: Query, seen: Iterable[ReceivedRequest], accepted: Iterable[str]) -> Tally:
    """Compare the database, what the CRM received, and what the API accepted."""
    by_id: dict[int, Delivery] = {}
    by_key: dict[str, Delivery] = {}
    for id_, referral, connection, name, status, is_due, is_in_flight in query(_DELIVERIES):
        delivery = Delivery(
            name=name, status=status, is_due=bool(is_due), is_in_flight=bool(is_in_flight)
        )
        by_id[id_] = by_key[f"{uuid.UUID(str(referral))}-{connection}"] = delivery
    for id_, number, outcome, trigger, is_answered in query(_ATTEMPTS):
        by_id[id_].attempts.append(Attempt(number, outcome, trigger, bool(is_answered)))
    strangers = _add_answers(by_key, seen)
    deliveries = list(by_id.values())
    missing = set(accepted) - {one.name for one in deliveries}
    return Tally(
        deliveries=len(deliveries),
        lost=[*missing, *(one.name for one in deliveries if one.is_lost)],
        unlogged=[*strangers, *(one.name for one in deliveries if one.is_unlogged)],
        duplicated=[one.name for one in deliveries if one.is_duplicated_unseen],
        unknown=sum(a.outcome == "unknown" for one in deliveries for a in one.attempts),
        statuses=Counter(one.status for one in deliveries),
        requests=sum(len(one.answers) for one in deliveries),
    )


def _add_answers(by_key: dict[str, Delivery], seen: Iterable[ReceivedRequest]) -> list[str]:
    """Add to each delivery what the CRM received of it; return the keys that belong to none."""
    strangers = set()
    for one in seen:
        key = one.headers.get("Idempotency-Key", "none")
        if key in by_key:
            # The simulator says 400 for one who is a member already.
            by_key[key].answers.append(one.status in (200, 400))
        else:
            strangers.add(key)
    return sorted(strangers)
