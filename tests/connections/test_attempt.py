"""One attempt: built, sent and read, and whatever goes wrong becomes an outcome."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from connections.attempt import Attempt, PreparedConnection, prepare
from connections.core.spec import ConnectionSpec, Environment, Limits
from connections.models import Connection, Endpoint, ResponseRule
from connections.simulator import CRM
from connections.transport.shared import shared_client

JO = {"email": "jo@example.com", "first_name": "Jo"}


def attempt(spec: ConnectionSpec, environment: str = "production", **values: Any) -> Attempt:
    return PreparedConnection(spec, environment).attempt(shared_client(), {**JO, **values}, "key-1")


def test_an_attempt_is_built_sent_and_read(described: ConnectionSpec, crm: CRM) -> None:
    found = attempt(described)

    [received] = crm.received()
    assert received.headers["Idempotency-Key"] == "key-1"
    assert json.loads(received.body)["merge_fields"] == {"FNAME": "Jo"}
    assert found.exchange.request.body.decode() == received.body
    assert found.exchange.response is not None
    assert found.exchange.response.status == 200
    assert (found.meaning.outcome, found.meaning.rule) == ("delivered", 1)
    assert found.rule == "status 200 and json id exists → delivered"
    assert 0 < found.exchange.duration < 20


def test_each_environment_has_its_own_endpoint(described: ConnectionSpec, crm: CRM) -> None:
    attempt(described, "testing")
    attempt(described, "production")

    assert [one.path for one in crm.received()] == [
        "/3.0/lists/testing/members",
        "/3.0/lists/production/members",
    ]


def test_a_prepared_connection_serves_many(described: ConnectionSpec, crm: CRM) -> None:
    prepared = PreparedConnection(described, Environment.PRODUCTION)

    for number in range(20):
        email = {"email": f"jo{number}@example.com"}
        assert prepared.attempt(shared_client(), email, str(number)).meaning.outcome == "delivered"

    assert [one.headers["Idempotency-Key"] for one in crm.received()] == list(map(str, range(20)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"email": ""}, 'The required attribute "email" is missing.'),
        ({"email": None}, 'The required attribute "email" is missing.'),
    ],
)
def test_what_can_not_be_built_is_invalid_and_never_sent(
    described: ConnectionSpec, crm: CRM, values: dict[str, Any], message: str
) -> None:
    found = attempt(described, **values)

    assert (found.meaning.outcome, found.meaning.reason, found.rule) == ("invalid", message, "")
    assert found.exchange.error is not None
    assert (found.exchange.error.code, found.exchange.response) == ("not_built", None)
    assert crm.received() == []


def test_an_environment_without_an_endpoint_is_invalid(described: ConnectionSpec, crm: CRM) -> None:
    found = attempt(described, "staging")

    assert found.meaning.outcome == "invalid"
    assert found.meaning.reason == (
        "endpoints.staging: The connection has no endpoint for staging."
    )
    assert crm.received() == []


def test_a_connection_whose_rows_are_wrong_is_invalid(connection: Connection, crm: CRM) -> None:
    ResponseRule.objects.create(connection=connection, status="soon", outcome="delivered")

    found = prepare(connection).attempt(shared_client(), JO, "key-1")

    assert found.meaning.outcome == "invalid"
    assert found.meaning.reason.startswith('status: "soon" is no status;')
    assert crm.received() == []


def test_a_connection_takes_the_credentials_of_its_environment(
    connection: Connection, crm: CRM
) -> None:
    Endpoint.objects.filter(environment="testing").update(secrets={"password": "wrong"})

    outcomes = [
        prepare(connection, one).attempt(shared_client(), JO, "key-1").meaning.outcome
        for one in ("production", "testing")
    ]

    assert outcomes == ["delivered", "unauthorized"]


def test_a_connection_may_wait_less_than_others(described: ConnectionSpec) -> None:
    hasty = replace(described, limits=Limits(total_timeout=0.1))

    found = attempt(hasty, email="hang@example.com")

    assert (found.meaning.outcome, found.exchange.response) == ("unknown", None)
    assert found.exchange.error is not None
    assert found.exchange.error.code == "total_timeout"
    assert 0.1 <= found.exchange.duration < 5
