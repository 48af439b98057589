"""Tests of rules and expected responses that are made from a test."""

from __future__ import annotations

import pytest

from connections.core.messages import Response
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Rule
from connections.models import Connection, ResponseRule
from connections.operations.rules_from_tests import (
    NameTaken,
    add_rule,
    keep_expected_response,
)
from tests.users import SOMEBODY

SUPPRESSED = Rule(outcome=Outcome.SUPPRESSED, where="json", path="id", operator="exists")


def stored_rules(connection: Connection) -> list[tuple[int, str]]:
    return list(connection.response_rules.values_list("position", "outcome"))


def test_a_rule_is_stored_before_the_first_that_matches_the_response(
    connection: Connection,
) -> None:
    added = add_rule(
        connection, rule=SUPPRESSED, response=Response(status=200, body=b'{"id": 1}'), by=SOMEBODY
    )
    assert added.position == 2
    assert stored_rules(connection) == [(1, "duplicate"), (2, "suppressed"), (3, "delivered")]


def test_a_rule_is_stored_last_where_none_matches(connection: Connection) -> None:
    added = add_rule(
        connection, rule=SUPPRESSED, response=Response(status=422, body=b'{"id": 1}'), by=SOMEBODY
    )
    assert added.position == 3
    assert stored_rules(connection) == [(1, "duplicate"), (2, "delivered"), (3, "suppressed")]


def test_an_invalid_rule_keeps_its_position_and_matches_nothing(
    connection: Connection,
) -> None:
    ResponseRule.objects.filter(connection=connection, outcome="duplicate").update(status="4oo")
    add_rule(
        connection, rule=SUPPRESSED, response=Response(status=200, body=b'{"id": 1}'), by=SOMEBODY
    )
    assert stored_rules(connection) == [(1, "duplicate"), (2, "suppressed"), (3, "delivered")]


def test_positions_with_gaps_are_renumbered(connection: Connection) -> None:
    ResponseRule.objects.filter(connection=connection, outcome="delivered").update(position=70)
    add_rule(
        connection, rule=SUPPRESSED, response=Response(status=200, body=b'{"id": 1}'), by=SOMEBODY
    )
    assert stored_rules(connection) == [(1, "duplicate"), (2, "suppressed"), (3, "delivered")]


def test_a_new_rule_and_a_kept_response_make_earlier_tests_outdated(connection: Connection) -> None:
    before = connection.changed_at
    add_rule(connection, rule=SUPPRESSED, response=Response(status=200), by=SOMEBODY)
    connection.refresh_from_db()
    between = connection.changed_at
    keep_expected_response(
        connection, name="Any", response=Response(status=200), outcome=Outcome.REJECTED, by=SOMEBODY
    )
    connection.refresh_from_db()
    assert before < between < connection.changed_at


def test_a_second_expected_response_of_the_same_name_is_refused(connection: Connection) -> None:
    response = Response(status=409, headers=(("content-type", "text/plain"),), body=b"Twice.")
    kept = keep_expected_response(
        connection, name="Twice", response=response, outcome=Outcome.DUPLICATE, by=SOMEBODY
    )
    assert (kept.status, kept.headers, kept.body, kept.outcome) == (
        409,
        {"Content-Type": "text/plain"},
        "Twice.",
        "duplicate",
    )
    with pytest.raises(NameTaken, match='"Twice" already'):
        keep_expected_response(
            connection, name="Twice", response=response, outcome=Outcome.REJECTED, by=SOMEBODY
        )
    assert connection.expected_responses.count() == 1
