"""Tests of the outcomes."""

from connections.core.response.outcomes import Outcome


def test_every_outcome_has_a_meaning_and_two_are_successes() -> None:
    assert all(outcome.meaning.endswith(".") for outcome in Outcome)
    assert [outcome.value for outcome in Outcome if outcome.is_success] == [
        "delivered",
        "duplicate",
    ]
