"""When the next attempt is made, if any; pure: no clock, no database, no settings.

The times come from what the trusted delivery systems do: dense at first, because leads cool fast,
and long enough to cover a weekend.
"""

from __future__ import annotations

from dataclasses import dataclass

from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Classification
from connections.core.spec import Limits, OnUnknown
from referrals.statuses import DeliveryStatus, final_status

DEFAULT_SCHEDULE_SECONDS = (
    *(0.0, 5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0),
    *(10_800.0, 21_600.0, 43_200.0, 86_400.0, 86_400.0),
)
"""Seconds before each attempt, counted from the one before: 12 attempts in 70.7 hours."""

MAX_JITTER_SHARE = 0.2
"""The largest part of a wait that is added to it, so that what failed together comes back apart."""

THROTTLED_WAIT_SECONDS = 60.0
"""Seconds to wait when a CRM asks to come later and does not say when."""

UNAUTHORIZED_WAIT_SECONDS = 300.0
"""Seconds until refused credentials are tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """What one connection says about its attempts; times are in seconds."""

    schedule: tuple[float, ...] = DEFAULT_SCHEDULE_SECONDS
    max_age: float | None = None
    on_unknown: OnUnknown = OnUnknown.RETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a delivery after an attempt: `wait` is in seconds and None where no further
    attempt comes by itself; `step` counts the attempts that the schedule has used up."""

    status: DeliveryStatus
    attempts_used: int
    wait: float | None = None


def build_policy(limits: Limits, on_unknown: str) -> RetryPolicy:
    """The policy of a connection with these limits."""
    return RetryPolicy(
        schedule=limits.schedule or DEFAULT_SCHEDULE_SECONDS,
        max_age=limits.max_age,
        on_unknown=OnUnknown(on_unknown),
    )


def decide_next(
    meaning: Classification, *, attempts_used: int, age: float, policy: RetryPolicy, jitter: float
) -> Decision:
    """What follows from an outcome. `age` is the delivery's in seconds, `jitter` from 0 to 1."""
    if meaning.outcome is Outcome.THROTTLED:
        return _wait_without_using_up(
            meaning.retry_after, THROTTLED_WAIT_SECONDS, attempts_used, jitter
        )
    if meaning.outcome is Outcome.UNAUTHORIZED:
        return _wait_without_using_up(
            meaning.retry_after, UNAUTHORIZED_WAIT_SECONDS, attempts_used, jitter
        )
    if meaning.outcome is Outcome.UNKNOWN and policy.on_unknown is OnUnknown.HOLD:
        return Decision(status=DeliveryStatus.UNKNOWN, attempts_used=attempts_used + 1)
    if meaning.outcome in (Outcome.UNAVAILABLE, Outcome.UNKNOWN):
        return _retry(meaning, attempts_used + 1, age, policy, jitter)
    return Decision(status=final_status(meaning.outcome), attempts_used=attempts_used + 1)


def _wait_without_using_up(
    told: float | None, otherwise: float, attempts_used: int, jitter: float
) -> Decision:
    wait = _with_jitter(otherwise if told is None else told, jitter)
    return Decision(status=DeliveryStatus.PENDING, attempts_used=attempts_used, wait=wait)


def _retry(
    meaning: Classification, attempts_used: int, age: float, policy: RetryPolicy, jitter: float
) -> Decision:
    if attempts_used >= len(policy.schedule):
        return Decision(status=final_status(meaning.outcome), attempts_used=attempts_used)
    wait = _with_jitter(max(policy.schedule[attempts_used], meaning.retry_after or 0.0), jitter)
    if policy.max_age is not None and age + wait > policy.max_age:
        return Decision(status=final_status(meaning.outcome), attempts_used=attempts_used)
    return Decision(status=DeliveryStatus.PENDING, attempts_used=attempts_used, wait=wait)


def _with_jitter(seconds: float, jitter: float) -> float:
    return seconds * (1 + MAX_JITTER_SHARE * jitter)
