"""Tests of deciding whether and when a delivery is attempted again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from connections.core.response.matching import Classification
from connections.core.response.outcomes import Outcome
from connections.core.spec import OnUnknown
from referrals.delivery.retry import (
    DEFAULT_SCHEDULE_SECONDS,
    MAX_JITTER_SHARE,
    THROTTLED_WAIT_SECONDS,
    UNAUTHORIZED_WAIT_SECONDS,
    Decision,
    RetryPolicy,
    decide_next,
)
from referrals.statuses import DeliveryStatus

HOUR = 3600.0
PENDING = DeliveryStatus.PENDING
HOLD = RetryPolicy(on_unknown=OnUnknown.HOLD)


def decide(
    outcome: str,
    *,
    attempts_used: int = 0,
    age: float = 0.0,
    jitter: float = 0.0,
    retry_after: float | None = None,
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - it is frozen.
) -> Decision:
    classification = Classification(outcome=Outcome(outcome), retry_after=retry_after)
    return decide_next(
        classification, attempts_used=attempts_used, age=age, policy=policy, jitter=jitter
    )


def test_the_schedule_is_twelve_attempts_in_70_7_hours() -> None:
    assert (
        *(0, 5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200, 86400, 86400),
    ) == DEFAULT_SCHEDULE_SECONDS
    assert sum(DEFAULT_SCHEDULE_SECONDS) == 254_555
    assert round(sum(DEFAULT_SCHEDULE_SECONDS) / HOUR, 1) == 70.7
    assert all(shorter <= longer for shorter, longer in pairwise(DEFAULT_SCHEDULE_SECONDS))


@pytest.mark.parametrize(
    "outcome",
    ["delivered", "duplicate", "rejected", "suppressed", "unrecognised", "invalid"],
)
def test_a_conclusive_outcome_is_final(outcome: str) -> None:
    assert decide(outcome) == Decision(status=DeliveryStatus(outcome), attempts_used=1, wait=None)
    assert decide(outcome, attempts_used=3, retry_after=9) == Decision(
        status=DeliveryStatus(outcome), attempts_used=4
    )


@pytest.mark.parametrize("outcome", ["unavailable", "unknown"])
def test_each_failure_is_retried_as_scheduled_and_the_last_is_final(outcome: str) -> None:
    followed = [decide(outcome, attempts_used=attempts_used) for attempts_used in range(12)]

    assert followed[:11] == [
        Decision(
            status=PENDING,
            attempts_used=attempts_used,
            wait=DEFAULT_SCHEDULE_SECONDS[attempts_used],
        )
        for attempts_used in range(1, 12)
    ]
    assert followed[11] == Decision(status=DeliveryStatus(outcome), attempts_used=12)


@pytest.mark.parametrize(
    ("outcome", "wait"),
    [("throttled", THROTTLED_WAIT_SECONDS), ("unauthorized", UNAUTHORIZED_WAIT_SECONDS)],
)
@pytest.mark.parametrize("attempts_used", [0, 5, 11, 40])
def test_throttled_and_unauthorized_outcomes_use_up_no_attempt(
    outcome: str, wait: float, attempts_used: int
) -> None:
    assert decide(outcome, attempts_used=attempts_used) == Decision(
        status=PENDING, attempts_used=attempts_used, wait=wait
    )
    decision = decide(outcome, attempts_used=attempts_used, retry_after=1.5)
    assert decision == Decision(status=PENDING, attempts_used=attempts_used, wait=1.5)


def test_a_retry_after_of_zero_is_retried_at_once() -> None:
    assert decide("throttled", retry_after=0.0).wait == 0.0


@pytest.mark.parametrize(
    ("retry_after", "wait"), [(None, 30.0), (0.0, 30.0), (29.9, 30.0), (31.0, 31.0)]
)
def test_the_longer_of_schedule_and_retry_after_is_the_wait(
    retry_after: float | None, wait: float
) -> None:
    assert decide("unavailable", attempts_used=1, retry_after=retry_after).wait == wait


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 600.0), (0.5, 660.0), (1.0, 720.0)])
def test_jitter_lengthens_a_wait_by_at_most_a_fifth(jitter: float, wait: float) -> None:
    assert MAX_JITTER_SHARE == 0.2
    assert decide("unavailable", attempts_used=3, jitter=jitter).wait == wait
    assert decide("throttled", retry_after=600.0, jitter=jitter).wait == wait


@pytest.mark.parametrize("outcome", ["unavailable", "unknown"])
def test_no_attempt_is_scheduled_beyond_the_maximum_age(outcome: str) -> None:
    policy = RetryPolicy(max_age=100.0)

    assert decide(outcome, attempts_used=1, age=70.0, policy=policy).wait == 30.0
    assert decide(outcome, attempts_used=1, age=70.1, policy=policy) == Decision(
        status=DeliveryStatus(outcome), attempts_used=2
    )


def test_a_retry_after_beyond_the_maximum_age_is_final() -> None:
    late = decide("unavailable", age=1.0, retry_after=100.0, policy=RetryPolicy(max_age=100.0))

    assert late == Decision(status=DeliveryStatus.UNAVAILABLE, attempts_used=1)


@pytest.mark.parametrize("attempts_used", [0, 11])
def test_an_unknown_outcome_is_final_with_the_hold_policy(attempts_used: int) -> None:
    assert decide("unknown", attempts_used=attempts_used, policy=HOLD) == Decision(
        status=DeliveryStatus.UNKNOWN, attempts_used=attempts_used + 1
    )


def test_the_hold_policy_applies_only_to_unknown_outcomes() -> None:
    assert decide("unavailable", policy=HOLD) == decide("unavailable")


def test_a_connection_has_its_own_schedule() -> None:
    policy = RetryPolicy(schedule=(0.0, 0.05))

    assert decide("unavailable", policy=policy) == Decision(
        status=PENDING, attempts_used=1, wait=0.05
    )
    assert decide("unavailable", attempts_used=1, policy=policy) == Decision(
        status=DeliveryStatus.UNAVAILABLE, attempts_used=2
    )


SECONDS = st.floats(min_value=0, max_value=86_400)


@examples(derandomize=True, deadline=None)
@given(
    classification=st.builds(
        Classification,
        outcome=st.sampled_from(Outcome),
        retry_after=st.none() | SECONDS,
    ),
    attempts_used=st.integers(min_value=0, max_value=20),
    age=st.floats(min_value=0, max_value=1e6),
    jitter=st.floats(min_value=0, max_value=1),
    policy=st.builds(
        RetryPolicy,
        schedule=st.lists(SECONDS, min_size=1, max_size=12).map(tuple),
        max_age=st.none() | SECONDS,
        on_unknown=st.sampled_from(OnUnknown),
    ),
)
def test_every_decision_is_final_or_waits_long_enough(
    classification: Classification,
    attempts_used: int,
    age: float,
    jitter: float,
    policy: RetryPolicy,
) -> None:
    found = decide_next(
        classification, attempts_used=attempts_used, age=age, policy=policy, jitter=jitter
    )

    assert (found.wait is None) is not found.status.is_pending
    assert found.attempts_used in (attempts_used, attempts_used + 1)
    if found.wait is None:
        return
    retry_after = classification.retry_after or 0.0
    assert retry_after <= found.wait
    if found.attempts_used > attempts_used:
        minimum = max(retry_after, policy.schedule[found.attempts_used])
        assert minimum <= found.wait <= minimum * (1 + MAX_JITTER_SHARE) * (1 + 1e-12)
        assert policy.max_age is None or age + found.wait <= policy.max_age
