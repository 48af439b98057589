"""Tests of an attempt with OAuth 2, a token server and a CRM."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from connections.attempt import Attempt, PreparedConnection
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from connections.core.response.matching import ResponseHandling
from connections.core.spec import ConnectionSpec, Limits
from connections.transport.tokens import TokenCache
from tests.connections.core.factories import rule, spec
from tests.misbehaving_servers import OK, Script, Server, ServerConnection, respond_with
from tests.misbehaving_servers.tokens import (
    Clock,
    LimitsRecorder,
    TokenServer,
    json_response,
    open_token_caches,
)

UNAUTHORIZED = json_response(401, {"error": "invalid_token"})
TOKEN = json_response(200, {"access_token": "token-1", "token_type": "Bearer", "expires_in": 3600})


@dataclass
class Servers:
    """A CRM and a token server, and attempts that use both."""

    crm: Server
    token_server: Server
    authorization: OAuth2ClientCredentials
    cache: TokenCache
    client: LimitsRecorder

    @property
    def sent_tokens(self) -> list[str]:
        """The tokens that the CRM received, in order."""
        matches = (
            re.search(rb"\r\nAuthorization: Bearer (.*)\r\n", request)
            for request in self.crm.requests
        )
        return [match[1].decode() for match in matches if match]

    def attempt(self, **fields: object) -> Attempt:
        prepared = PreparedConnection(self._spec(**fields), "production")
        attributes = {"email": "jo@example.com"}
        return prepared.attempt(self.client, attributes, "key-1", self.cache)

    def _spec(self, **fields: object) -> ConnectionSpec:
        return spec(
            **{
                "endpoints": {"production": self.crm.url},
                "authorization": self.authorization,
                "document": '{"email": "{{ email }}"}',
                **fields,
            }
        )


@contextmanager
def run_servers(redis: Any, crm: Script, tokens: Script | None = None) -> Iterator[Servers]:
    client = LimitsRecorder()
    with (
        client,
        Server(crm) as crm_server,
        open_token_caches(tokens or TokenServer(), redis, Clock(), client=client) as (
            token_caches,
            authorization,
            server,
        ),
    ):
        yield Servers(crm_server, server, authorization, token_caches[0], client)


def crm_that_accepts(*tokens: str) -> Script:
    """Answer 200 to these tokens and 401 to all others."""

    def script(connection: ServerConnection) -> None:
        while request := connection.read_request():
            is_accepted = any(f"Bearer {token}\r\n".encode() in request for token in tokens)
            connection.send(OK if is_accepted else UNAUTHORIZED)

    return script


def summarize(attempt: Attempt) -> tuple[str, int | None, str | None]:
    """Return the outcome, the status of the last response and the error code."""
    response, error = attempt.exchange.response, attempt.exchange.error
    status = response.status if response else None
    return attempt.meaning.outcome.value, status, error.code.value if error else None


def test_a_fetched_token_is_sent_in_the_header(redis: Any) -> None:
    with run_servers(redis, crm_that_accepts("token-1")) as servers:
        result = servers.attempt()

        assert summarize(result) == ("delivered", 200, None)
        assert servers.sent_tokens == ["token-1"]
        assert (len(servers.crm.requests), len(servers.token_server.requests)) == (1, 1)
    assert ("Authorization", "Bearer token-1") in result.exchange.request.headers
    assert ("Authorization", "Bearer ••••") in result.exchange.masked().request.headers


def test_a_second_attempt_uses_the_cached_token(redis: Any) -> None:
    with run_servers(redis, crm_that_accepts("token-1")) as servers:
        assert {summarize(servers.attempt()) for _ in range(3)} == {("delivered", 200, None)}
        assert (len(servers.crm.requests), len(servers.token_server.requests)) == (3, 1)


def test_a_refused_token_is_renewed_and_the_request_sent_again(redis: Any) -> None:
    with run_servers(redis, crm_that_accepts("token-2")) as servers:
        result = servers.attempt()

        assert summarize(result) == ("delivered", 200, None)
        assert servers.sent_tokens == ["token-1", "token-2"]
        assert (len(servers.crm.requests), len(servers.token_server.requests)) == (2, 2)
        first, second = servers.crm.requests
    assert second == first.replace(b"token-1", b"token-2")
    assert b"\r\nIdempotency-Key: key-1\r\n" in second
    assert ("Authorization", "Bearer token-2") in result.exchange.request.headers


def test_a_second_refusal_is_unauthorized_and_nothing_is_sent_a_third_time(redis: Any) -> None:
    with run_servers(redis, crm_that_accepts()) as servers:
        result = servers.attempt()

        assert summarize(result) == ("unauthorized", 401, None)
        assert servers.sent_tokens == ["token-1", "token-2"]
        assert (len(servers.crm.requests), len(servers.token_server.requests)) == (2, 2)


def test_a_repeated_token_is_not_sent_a_second_time(redis: Any) -> None:
    with run_servers(redis, crm_that_accepts(), respond_with(TOKEN)) as servers:
        result = servers.attempt()

        assert summarize(result) == ("unauthorized", 401, None)
        assert servers.sent_tokens == ["token-1"]


def test_the_classification_decides_whether_a_token_was_refused(redis: Any) -> None:
    expired = {"where": "json", "path": "error", "operator": "equals", "value": "expired"}
    as_unauthorized = ResponseHandling(rules=(rule("unauthorized", status="200", **expired),))
    as_rejected = ResponseHandling(rules=(rule("rejected", status="401"),))

    with run_servers(redis, respond_with(json_response(200, {"error": "expired"}), OK)) as servers:
        assert summarize(servers.attempt(response_handling=as_unauthorized)) == (
            "delivered",
            200,
            None,
        )
        assert servers.sent_tokens == ["token-1", "token-2"]

    with run_servers(redis, crm_that_accepts()) as servers:
        assert summarize(servers.attempt(response_handling=as_rejected)) == ("rejected", 401, None)
        assert servers.sent_tokens == ["token-1"]


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (503, "unavailable", "connect_failed"),
        (429, "unavailable", "connect_failed"),
        (400, "unauthorized", "token"),
        (401, "unauthorized", "token"),
    ],
)
def test_a_refusal_by_the_token_server_keeps_the_request_from_the_crm(
    redis: Any, status: int, outcome: str, code: str
) -> None:
    refusal = json_response(status, {"error": "invalid_client"})
    with run_servers(redis, crm_that_accepts("token-1"), respond_with(refusal)) as servers:
        result = servers.attempt()

        assert summarize(result) == (outcome, None, code)
        assert result.meaning.reason == (
            f"The token server answered with status {status} (invalid_client)."
        )
        assert servers.crm.requests == []


def test_a_failed_renewal_of_the_token_makes_the_attempt_unavailable(redis: Any) -> None:
    with run_servers(
        redis, crm_that_accepts(), respond_with(TOKEN, json_response(503, {}))
    ) as servers:
        assert summarize(servers.attempt()) == ("unavailable", None, "connect_failed")
        assert servers.sent_tokens == ["token-1"]


def test_a_token_request_that_times_out_makes_the_attempt_unavailable(redis: Any) -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.wait()

    with run_servers(redis, crm_that_accepts("token-1"), script) as servers:
        result = servers.attempt(limits=Limits(total_timeout=0.1))

        assert summarize(result) == ("unavailable", None, "connect_failed")
        assert result.meaning.reason.startswith("The token could not be fetched. No")
        assert servers.crm.requests == []


def test_token_requests_and_sends_share_one_total_timeout(redis: Any) -> None:
    def crm(connection: ServerConnection) -> None:
        while connection.read_request():
            connection.wait(0.25)
            connection.send(UNAUTHORIZED)

    with run_servers(redis, crm, TokenServer(seconds=0.25)) as servers:
        result = servers.attempt(limits=Limits(total_timeout=9))

        assert summarize(result) == ("unauthorized", 401, None)
        fetch, send, renewal, second_send = servers.client.totals
    assert fetch <= 9
    assert send <= 8.75
    assert renewal <= 8.5
    assert 0 < second_send <= 8.25


def test_a_client_secret_is_masked_in_its_form_encoded_basic_credentials(redis: Any) -> None:
    secret = "s&c r/é+"
    exact, other_client, with_plus = (
        base64.b64encode(pair.encode()).decode()
        for pair in (
            f"me:{quote(secret, safe='')}",
            f"other:{quote(secret, safe='')}",
            f"me:{quote_plus(secret)}",
        )
    )
    echo = f"{exact} {other_client} {with_plus}"
    with run_servers(redis, respond_with(json_response(422, echo))) as servers:
        servers.authorization = replace(servers.authorization, client_secret=secret)
        masked = servers.attempt().exchange.masked()

        assert f"\r\nAuthorization: Basic {exact}\r\n".encode() in servers.token_server.requests[0]
    token_request = servers.authorization.token_request().masked()
    assert ("Authorization", "Basic ••••") in token_request.headers
    assert masked.response is not None
    # In the base64 of the other clients, their ids and the padding are not secret.
    assert masked.response.body.decode() == '"•••• b3RoZXI6•••• bWU6••••=="'
