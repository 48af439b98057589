"""When the next attempt is made, if any; pure.

The schedule is the one of trusted delivery systems: dense at first, because leads cool fast, and
long enough to cover a weekend.
"""

from __future__ import annotations

from dataclasses import dataclass

from connections.core.response.matching import Classification
from connections.core.response.outcomes import Outcome
from connections.core.spec import Limits, OnUnknown
from referrals.statuses import DeliveryStatus, final_status

DEFAULT_SCHEDULE_SECONDS = (
    *(0.0, 5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0),
    *(10_800.0, 21_600.0, 43_200.0, 86_400.0, 86_400.0),
)
"""Seconds before each attempt, counted from the one before: 12 attempts in 70.7 hours."""

MAX_JITTER_SHARE = 0.2
"""The largest part of a wait that is added to it, so that what failed together is retried apart."""

THROTTLED_WAIT_SECONDS = 60.0
"""The wait after a CRM asks to come later and does not say when."""

UNAUTHORIZED_WAIT_SECONDS = 300.0
"""The wait after a CRM has refused the credentials."""

_FREE_WAITS_SECONDS = {
    Outcome.THROTTLED: THROTTLED_WAIT_SECONDS,
    Outcome.UNAUTHORIZED: UNAUTHORIZED_WAIT_SECONDS,
}
"""Outcomes that are no fault of the referral use up no attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """One connection's schedule of attempts, their greatest age, and what unknown leads to.

    Times are in seconds.
    """

    schedule: tuple[float, ...] = DEFAULT_SCHEDULE_SECONDS
    max_age: float | None = None
    on_unknown: OnUnknown = OnUnknown.RETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a delivery after an attempt.

    `attempts_used` counts the attempts of the schedule that are used up. `wait` is in seconds, and
    None if no further attempt comes by itself.
    """

    status: DeliveryStatus
    attempts_used: int
    wait: float | None = None


def build_policy(limits: Limits, on_unknown: str) -> RetryPolicy:
    """Return the policy of a connection with these limits.

    Raise ValueError if `on_unknown` is no value of OnUnknown.
    """
    return RetryPolicy(
        schedule=limits.schedule or DEFAULT_SCHEDULE_SECONDS,
        max_age=limits.max_age,
        on_unknown=OnUnknown(on_unknown),
    )


def decide_next(
    classification: Classification,
    *,
    attempts_used: int,
    age: float,
    policy: RetryPolicy,
    jitter: float,
) -> Decision:
    """Return what follows from an attempt that was classified like this.

    `age` is the delivery's in seconds, `jitter` a random number from 0 to 1.
    """
    if classification.outcome in _FREE_WAITS_SECONDS:
        return _wait_without_using_up(classification, attempts_used, jitter)
    if classification.outcome is Outcome.UNKNOWN and policy.on_unknown is OnUnknown.HOLD:
        return Decision(status=DeliveryStatus.UNKNOWN, attempts_used=attempts_used + 1)
    if classification.outcome in (Outcome.UNAVAILABLE, Outcome.UNKNOWN):
        return _retry(classification, attempts_used + 1, age, policy, jitter)
    return Decision(status=final_status(classification.outcome), attempts_used=attempts_used + 1)


def _wait_without_using_up(
    classification: Classification, attempts_used: int, jitter: float
) -> Decision:
    """Wait as long as the CRM says, else as usual, without using up an attempt."""
    usual, told = _FREE_WAITS_SECONDS[classification.outcome], classification.retry_after
    wait = _with_jitter(usual if told is None else told, jitter)
    return Decision(status=DeliveryStatus.PENDING, attempts_used=attempts_used, wait=wait)


def _retry(
    classification: Classification,
    attempts_used: int,
    age: float,
    policy: RetryPolicy,
    jitter: float,
) -> Decision:
    given_up = Decision(status=final_status(classification.outcome), attempts_used=attempts_used)
    if attempts_used >= len(policy.schedule):
        return given_up
    scheduled, told = policy.schedule[attempts_used], classification.retry_after or 0.0
    wait = _with_jitter(max(scheduled, told), jitter)
    if policy.max_age is not None and age + wait > policy.max_age:
        return given_up
    return Decision(status=DeliveryStatus.PENDING, attempts_used=attempts_used, wait=wait)


def _with_jitter(seconds: float, jitter: float) -> float:
    return seconds * (1 + MAX_JITTER_SHARE * jitter)
