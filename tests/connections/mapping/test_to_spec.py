"""Tests of building specs from rows."""

from __future__ import annotations

from typing import Any

import pytest

from connections.core.errors import DescriptionError
from connections.core.request.authorization.static import Basic
from connections.core.request.spec import Environment
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import InvalidRule, Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse
from connections.mapping.to_rows import build_expected_response_row, build_rule_row
from connections.mapping.to_spec import (
    build_documented_response,
    build_rule,
    build_rules,
    build_spec,
    compile_rules,
)
from connections.models import Connection, Endpoint, ResponseRule

RULES = [
    Rule(outcome=Outcome.REJECTED, status="400-499, 5xx"),
    Rule(outcome=Outcome.DELIVERED, where="text", operator="exists"),
    Rule(
        outcome=Outcome.DUPLICATE, status="409", where="json", path="errors[*].code",
        operator="one_of", value=("a b", "2.50"), ignore_case=True,
    ),
    Rule(
        outcome=Outcome.THROTTLED, where="header", path="X-Why", operator="contains", value=("é",)
    ),
]  # fmt: skip


def test_stored_rows_build_the_spec_that_was_stored(
    connection: Connection, connection_spec: ConnectionSpec
) -> None:
    assert build_spec(Connection.objects.get()) == connection_spec


def test_an_environment_may_have_credentials_of_its_own(connection: Connection) -> None:
    Endpoint.objects.filter(environment="testing").update(
        secrets={"password": "for tests", "credentials.extra": "more", "empty": ""}
    )

    connection = Connection.objects.get()
    production, testing, staging = (
        build_spec(connection, environment)
        for environment in (Environment.PRODUCTION, Environment.TESTING, Environment.STAGING)
    )
    assert production.authorization == Basic(username="referrals", password="demo-key")
    assert production.credentials == {}
    assert testing.authorization == Basic(username="referrals", password="for tests")
    assert testing.credentials == {"extra": "more"}
    assert staging == production


def test_settings_of_an_earlier_authorization_kind_are_ignored(connection: Connection) -> None:
    connection.authorization_kind = "bearer"
    connection.secrets = {**connection.secrets, "token": "abc"}

    assert build_spec(connection).authorization.to_settings() == {"token": "abc"}


def test_rules_are_built_in_the_order_of_their_positions(connection: Connection) -> None:
    ResponseRule.objects.create(connection=connection, position=0, status="201", outcome="rejected")

    assert [str(rule) for rule in build_rules(Connection.objects.get())] == [
        "status 201 → rejected",
        "status 400 and json title equals Member Exists → duplicate",
        "status 200 and json id exists → delivered",
    ]


def test_a_connection_with_everything_is_read_in_five_queries(
    connection: Connection, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(5):
        [row] = Connection.objects.with_everything()
        build_spec(row)
        row.account.catalogue()


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_stored_rule_is_read_back_equal_and_has_the_text_of_its_row(
    connection: Connection, rule: Rule
) -> None:
    build_rule_row(rule, connection=connection, position=9).save()

    row = ResponseRule.objects.get(position=9)
    assert build_rule(row) == rule
    assert str(row) == str(rule)


def test_a_stored_documented_response_is_read_back_equal(connection: Connection) -> None:
    documented = DocumentedResponse(
        name="Busy", status=429, headers=(("X-Wait", "1"),), body="x\n", outcome=Outcome.THROTTLED
    )

    build_expected_response_row(documented, connection=connection).save()

    assert build_documented_response(connection.expected_responses.get()) == documented


def test_an_invalid_rule_row_raises(connection: Connection) -> None:
    connection.response_rules.filter(position=1).update(status="soon")

    with pytest.raises(DescriptionError, match="is no status"):
        build_rules(connection)


def test_compiled_rules_are_in_the_order_of_their_rows_and_include_invalid_ones() -> None:
    rows = [
        ResponseRule(status="409", outcome="duplicate"),
        ResponseRule(where="json", path="a[", operator="exists", outcome="rejected"),
        ResponseRule(status="2xx", outcome="delivered"),
    ]
    first, invalid, last = compile_rules(rows)
    assert first == Rule(outcome=Outcome.DUPLICATE, status="409")
    assert isinstance(invalid, InvalidRule)
    assert invalid.why.startswith("path: Not a valid JSON path: ")
    assert last == Rule(outcome=Outcome.DELIVERED, status="2xx")
