"""When the next attempt comes: by outcome, by step, by age, and by what the CRM asks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from connections.http.outcomes import Outcome
from connections.http.rules import Classification
from connections.http.spec import OnUnknown
from referrals.schedule import (
    DEFAULT_SCHEDULE,
    JITTER,
    THROTTLED_WAIT,
    UNAUTHORIZED_WAIT,
    Policy,
    Settlement,
    settle,
)
from referrals.states import DeliveryStatus

HOUR = 3600.0
PENDING = DeliveryStatus.PENDING
HOLD = Policy(on_unknown=OnUnknown.HOLD)


def settled(
    outcome: str,
    *,
    step: int = 0,
    age: float = 0.0,
    jitter: float = 0.0,
    retry_after: float | None = None,
    policy: Policy = Policy(),  # noqa: B008 - it is frozen.
) -> Settlement:
    meaning = Classification(outcome=Outcome(outcome), retry_after=retry_after)
    return settle(meaning, step=step, age=age, policy=policy, jitter=jitter)


def test_the_schedule_is_twelve_attempts_in_70_7_hours() -> None:
    assert (
        *(0, 5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200, 86400, 86400),
    ) == DEFAULT_SCHEDULE
    assert sum(DEFAULT_SCHEDULE) == 254_555
    assert round(sum(DEFAULT_SCHEDULE) / HOUR, 1) == 70.7
    assert all(shorter <= longer for shorter, longer in pairwise(DEFAULT_SCHEDULE))


@pytest.mark.parametrize(
    "outcome",
    ["delivered", "duplicate", "rejected", "suppressed", "unrecognised", "invalid"],
)
def test_an_answer_that_says_what_happened_is_final(outcome: str) -> None:
    assert settled(outcome) == Settlement(status=DeliveryStatus(outcome), step=1, wait=None)
    assert settled(outcome, step=3, retry_after=9) == Settlement(
        status=DeliveryStatus(outcome), step=4
    )


@pytest.mark.parametrize("outcome", ["unavailable", "unknown"])
def test_each_failure_waits_for_the_next_step_and_the_last_is_final(outcome: str) -> None:
    followed = [settled(outcome, step=step) for step in range(12)]

    assert followed[:11] == [
        Settlement(status=PENDING, step=step, wait=DEFAULT_SCHEDULE[step]) for step in range(1, 12)
    ]
    assert followed[11] == Settlement(status=DeliveryStatus(outcome), step=12)


@pytest.mark.parametrize(
    ("outcome", "wait"), [("throttled", THROTTLED_WAIT), ("unauthorized", UNAUTHORIZED_WAIT)]
)
@pytest.mark.parametrize("step", [0, 5, 11, 40])
def test_what_is_no_fault_of_the_referral_uses_up_no_step(
    outcome: str, wait: float, step: int
) -> None:
    assert settled(outcome, step=step) == Settlement(status=PENDING, step=step, wait=wait)
    told = settled(outcome, step=step, retry_after=1.5)
    assert told == Settlement(status=PENDING, step=step, wait=1.5)


def test_a_crm_that_says_at_once_is_asked_at_once() -> None:
    assert settled("throttled", retry_after=0.0).wait == 0.0


@pytest.mark.parametrize(("told", "wait"), [(None, 30.0), (0.0, 30.0), (29.9, 30.0), (31.0, 31.0)])
def test_the_longer_of_the_schedule_and_what_the_crm_asks_counts(
    told: float | None, wait: float
) -> None:
    assert settled("unavailable", step=1, retry_after=told).wait == wait


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 600.0), (0.5, 660.0), (1.0, 720.0)])
def test_jitter_only_adds_and_a_fifth_at_most(jitter: float, wait: float) -> None:
    assert JITTER == 0.2
    assert settled("unavailable", step=3, jitter=jitter).wait == wait
    assert settled("throttled", retry_after=600.0, jitter=jitter).wait == wait


@pytest.mark.parametrize("outcome", ["unavailable", "unknown"])
def test_no_attempt_comes_after_the_greatest_age(outcome: str) -> None:
    policy = Policy(max_age=100.0)

    assert settled(outcome, step=1, age=70.0, policy=policy).wait == 30.0
    assert settled(outcome, step=1, age=70.1, policy=policy) == Settlement(
        status=DeliveryStatus(outcome), step=2
    )


def test_a_wait_that_the_crm_asks_for_counts_against_the_greatest_age() -> None:
    late = settled("unavailable", age=1.0, retry_after=100.0, policy=Policy(max_age=100.0))

    assert late == Settlement(status=DeliveryStatus.UNAVAILABLE, step=1)


@pytest.mark.parametrize("step", [0, 11])
def test_a_connection_may_hold_what_nobody_knows_of(step: int) -> None:
    assert settled("unknown", step=step, policy=HOLD) == Settlement(
        status=DeliveryStatus.UNKNOWN, step=step + 1
    )


def test_holding_the_unknown_holds_nothing_else() -> None:
    assert settled("unavailable", policy=HOLD) == settled("unavailable")


def test_a_connection_has_its_own_schedule() -> None:
    policy = Policy(schedule=(0.0, 0.05))

    assert settled("unavailable", policy=policy) == Settlement(status=PENDING, step=1, wait=0.05)
    assert settled("unavailable", step=1, policy=policy) == Settlement(
        status=DeliveryStatus.UNAVAILABLE, step=2
    )


SECONDS = st.floats(min_value=0, max_value=86_400)


@examples(derandomize=True, deadline=None)
@given(
    meaning=st.builds(
        Classification,
        outcome=st.sampled_from(Outcome),
        retry_after=st.none() | SECONDS,
    ),
    step=st.integers(min_value=0, max_value=20),
    age=st.floats(min_value=0, max_value=1e6),
    jitter=st.floats(min_value=0, max_value=1),
    policy=st.builds(
        Policy,
        schedule=st.lists(SECONDS, min_size=1, max_size=12).map(tuple),
        max_age=st.none() | SECONDS,
        on_unknown=st.sampled_from(OnUnknown),
    ),
)
def test_whatever_happens_a_delivery_waits_long_enough_or_is_settled(
    meaning: Classification, step: int, age: float, jitter: float, policy: Policy
) -> None:
    found = settle(meaning, step=step, age=age, policy=policy, jitter=jitter)

    assert (found.wait is None) is not found.status.is_pending
    assert found.step in (step, step + 1)
    if found.wait is None:
        return
    told = meaning.retry_after or 0.0
    assert told <= found.wait
    if found.step > step:
        least = max(told, policy.schedule[found.step])
        assert least <= found.wait <= least * (1 + JITTER) * (1 + 1e-12)
        assert policy.max_age is None or age + found.wait <= policy.max_age
