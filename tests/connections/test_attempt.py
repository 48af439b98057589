"""Tests of an attempt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from connections.attempt import Attempt, PreparedConnection, prepare
from connections.core.request.spec import Environment
from connections.core.spec import ConnectionSpec, Limits
from connections.models import Connection, Endpoint, ResponseRule
from connections.simulator import CRM
from connections.transport.shared import shared_client
from tests.timing import scaled

JO = {"email": "jo@example.com", "first_name": "Jo"}


def attempt(spec: ConnectionSpec, environment: str = "production", **values: Any) -> Attempt:
    return PreparedConnection(spec, environment).attempt(shared_client(), {**JO, **values}, "key-1")


def test_an_attempt_is_built_sent_and_read(connection_spec: ConnectionSpec, crm: CRM) -> None:
    result = attempt(connection_spec)

    [received] = crm.received()
    assert received.headers["Idempotency-Key"] == "key-1"
    assert json.loads(received.body)["merge_fields"] == {"FNAME": "Jo"}
    assert result.exchange.request.body.decode() == received.body
    assert result.exchange.response is not None
    assert result.exchange.response.status == 200
    assert (result.meaning.outcome, result.meaning.rule) == ("delivered", 1)
    assert result.rule == "status 200 and json id exists → delivered"
    assert 0 < result.exchange.duration < scaled(20)


def test_each_environment_has_its_own_endpoint(connection_spec: ConnectionSpec, crm: CRM) -> None:
    attempt(connection_spec, "testing")
    attempt(connection_spec, "production")

    assert [request.path for request in crm.received()] == [
        "/3.0/lists/testing/members",
        "/3.0/lists/production/members",
    ]


def test_a_prepared_connection_makes_many_attempts(
    connection_spec: ConnectionSpec, crm: CRM
) -> None:
    prepared = PreparedConnection(connection_spec, Environment.PRODUCTION)

    for number in range(20):
        email = {"email": f"jo{number}@example.com"}
        assert prepared.attempt(shared_client(), email, str(number)).meaning.outcome == "delivered"

    assert [request.headers["Idempotency-Key"] for request in crm.received()] == list(
        map(str, range(20))
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"email": ""}, 'The required attribute "email" is missing.'),
        ({"email": None}, 'The required attribute "email" is missing.'),
    ],
)
def test_a_request_that_cannot_be_built_is_invalid_and_never_sent(
    connection_spec: ConnectionSpec, crm: CRM, values: dict[str, Any], message: str
) -> None:
    result = attempt(connection_spec, **values)

    assert (result.meaning.outcome, result.meaning.reason, result.rule) == ("invalid", message, "")
    assert result.exchange.error is not None
    assert (result.exchange.error.code, result.exchange.response) == ("not_built", None)
    assert crm.received() == []


def test_an_environment_without_an_endpoint_is_invalid(
    connection_spec: ConnectionSpec, crm: CRM
) -> None:
    result = attempt(connection_spec, "staging")

    assert result.meaning.outcome == "invalid"
    assert result.meaning.reason == (
        "endpoints.staging: The connection has no endpoint for staging."
    )
    assert crm.received() == []


def test_a_connection_with_invalid_rows_is_invalid(connection: Connection, crm: CRM) -> None:
    ResponseRule.objects.create(connection=connection, status="soon", outcome="delivered")

    result = prepare(connection).attempt(shared_client(), JO, "key-1")

    assert result.meaning.outcome == "invalid"
    assert result.meaning.reason.startswith('status: "soon" is no status;')
    assert crm.received() == []


def test_a_connection_uses_the_credentials_of_its_environment(
    connection: Connection, crm: CRM
) -> None:
    Endpoint.objects.filter(environment="testing").update(secrets={"password": "wrong"})

    outcomes = [
        prepare(connection, environment).attempt(shared_client(), JO, "key-1").meaning.outcome
        for environment in ("production", "testing")
    ]

    assert outcomes == ["delivered", "unauthorized"]


def test_a_connection_has_a_total_timeout_of_its_own(connection_spec: ConnectionSpec) -> None:
    impatient = replace(connection_spec, limits=Limits(total_timeout=0.1))

    result = attempt(impatient, email="hang@example.com")

    assert (result.meaning.outcome, result.exchange.response) == ("unknown", None)
    assert result.exchange.error is not None
    assert result.exchange.error.code == "total_timeout"
    assert 0.1 <= result.exchange.duration < scaled(5)
