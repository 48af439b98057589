"""When the next attempt is made, if any; pure: no clock, no database, no settings.

The times come from what the trusted delivery systems do: dense at first, because leads cool fast,
and long enough to cover a weekend.
"""

from __future__ import annotations

from dataclasses import dataclass

from connections.http.outcomes import Outcome
from connections.http.rules import Classification
from connections.http.spec import Limits, OnUnknown
from referrals.states import DeliveryStatus, final_status

DEFAULT_SCHEDULE = (
    *(0.0, 5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0),
    *(10_800.0, 21_600.0, 43_200.0, 86_400.0, 86_400.0),
)
"""Seconds before each attempt, counted from the one before: 12 attempts in 70.7 hours."""

JITTER = 0.2
"""The largest part of a wait that is added to it, so that what failed together comes back apart."""

THROTTLED_WAIT = 60.0
"""Seconds to wait when a CRM asks to come later and does not say when."""

UNAUTHORIZED_WAIT = 300.0
"""Seconds until refused credentials are tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one connection says about its attempts; times are in seconds."""

    schedule: tuple[float, ...] = DEFAULT_SCHEDULE
    max_age: float | None = None
    on_unknown: OnUnknown = OnUnknown.RETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What becomes of a delivery after an attempt: `wait` is in seconds and None where no further
    attempt comes by itself; `step` counts the attempts that the schedule has used up."""

    status: DeliveryStatus
    step: int
    wait: float | None = None


def policy_of(limits: Limits, on_unknown: str) -> Policy:
    """The policy of a connection with these limits."""
    return Policy(
        schedule=limits.schedule or DEFAULT_SCHEDULE,
        max_age=limits.max_age,
        on_unknown=OnUnknown(on_unknown),
    )


def settle(
    meaning: Classification, *, step: int, age: float, policy: Policy, jitter: float
) -> Settlement:
    """What follows from an outcome. `age` is the delivery's in seconds, `jitter` from 0 to 1."""
    if meaning.outcome is Outcome.THROTTLED:
        return _wait_without_using_up(meaning.retry_after, THROTTLED_WAIT, step, jitter)
    if meaning.outcome is Outcome.UNAUTHORIZED:
        return _wait_without_using_up(meaning.retry_after, UNAUTHORIZED_WAIT, step, jitter)
    if meaning.outcome is Outcome.UNKNOWN and policy.on_unknown is OnUnknown.HOLD:
        return Settlement(status=DeliveryStatus.UNKNOWN, step=step + 1)
    if meaning.outcome in (Outcome.UNAVAILABLE, Outcome.UNKNOWN):
        return _retry(meaning, step + 1, age, policy, jitter)
    return Settlement(status=final_status(meaning.outcome), step=step + 1)


def _wait_without_using_up(
    told: float | None, otherwise: float, step: int, jitter: float
) -> Settlement:
    wait = _with_jitter(otherwise if told is None else told, jitter)
    return Settlement(status=DeliveryStatus.PENDING, step=step, wait=wait)


def _retry(
    meaning: Classification, step: int, age: float, policy: Policy, jitter: float
) -> Settlement:
    if step >= len(policy.schedule):
        return Settlement(status=final_status(meaning.outcome), step=step)
    wait = _with_jitter(max(policy.schedule[step], meaning.retry_after or 0.0), jitter)
    if policy.max_age is not None and age + wait > policy.max_age:
        return Settlement(status=final_status(meaning.outcome), step=step)
    return Settlement(status=DeliveryStatus.PENDING, step=step, wait=wait)


def _with_jitter(seconds: float, jitter: float) -> float:
    return seconds * (1 + JITTER * jitter)
