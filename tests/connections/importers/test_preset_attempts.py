"""Tests of whole attempts with every preset, where `responses` answers for the CRM.

`responses` patches the sessions of requests. The product's client sends over pooled connections of
its own, so here a client sends over a session; everything else is the same.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from responses import matchers

from connections.attempt import Attempt, PreparedConnection
from connections.core.attributes import examples
from connections.core.messages import Exchange, Request, Response
from connections.core.request.authorization import TokenAuthorization
from connections.core.response.outcomes import Outcome
from connections.core.spec import ConnectionSpec, DocumentedResponse
from connections.transport import Client, SendLimits
from connections.transport.destination import DestinationPolicy
from connections.transport.tokens import TokenCache
from tests.connections.importers.presets import (
    PRESETS,
    SECRET,
    get_preset,
    load_preset,
)


class SessionClient(Client):
    """A client that sends over a session of requests."""

    def __init__(self) -> None:
        super().__init__(DestinationPolicy())

    def send(self, request: Request, limits: SendLimits = SendLimits()) -> Exchange:  # noqa: ARG002, B008
        with requests.Session() as session:
            received = session.request(
                request.method, request.url, headers=dict(request.headers), data=request.body,
                allow_redirects=False,
            )  # fmt: skip
        response = Response(
            status=received.status_code,
            headers=tuple(received.headers.items()),
            body=received.content,
        )
        return Exchange(request=request, response=response, finished_at=datetime.now(UTC))


def attempt(spec: ConnectionSpec, redis: Any) -> Attempt:
    """Make an attempt with the example of every attribute and an empty token cache."""
    redis.flushdb()
    with SessionClient() as client:
        tokens = TokenCache(redis, client, encrypt=str, decrypt=str)
        return PreparedConnection(spec, "production").attempt(client, examples(), "key-1", tokens)


def add_token_server(mock: responses.RequestsMock, spec: ConnectionSpec) -> None:
    """Register the token server of the authorization, which issues another token each time."""
    if isinstance(spec.authorization, TokenAuthorization):
        numbers = count(1)

        def issue(_: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            token = f'{{"access_token": "token-{next(numbers)}", "token_type": "Bearer"}}'
            return 200, {"Content-Type": "application/json"}, token

        url = spec.authorization.token_request().url
        mock.add_callback(responses.POST, url, issue)


def add_response(
    mock: responses.RequestsMock, spec: ConnectionSpec, response: DocumentedResponse, *match: Any
) -> None:
    """Register the response at the connection's endpoint."""
    url_start = spec.endpoints["production"].partition("{{")[0]
    mock.add(
        spec.method, re.compile(re.escape(url_start)), body=response.body, status=response.status,
        headers=dict(response.headers), match=match,
    )  # fmt: skip


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_whole_attempt_classifies_every_documented_response(path: Path, redis: Any) -> None:
    spec = load_preset(path)
    outcomes = {}
    for expected in spec.expected_responses:
        with responses.RequestsMock() as mock:
            add_token_server(mock, spec)
            add_response(mock, spec, expected)
            outcomes[expected.name] = attempt(spec, redis).meaning.outcome

    assert outcomes == {response.name: response.outcome for response in spec.expected_responses}


def test_salesforce_gets_a_token_request_and_then_the_lead_as_json(redis: Any) -> None:
    spec = get_preset("salesforce_lead")
    lead = {"Email": "john.smith@example.com"}
    with responses.RequestsMock() as mock:
        add_token_server(mock, spec)
        add_response(
            mock, spec, spec.expected_responses[0],
            matchers.header_matcher({"Authorization": "Bearer token-1"}),
            matchers.json_params_matcher(lead, strict_match=False),
        )  # fmt: skip
        assert attempt(spec, redis).meaning.outcome is Outcome.DELIVERED

        token_request, lead_request = (call.request for call in mock.calls)
    assert isinstance(token_request.body, bytes)
    assert parse_qs(token_request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["your-consumer-key"],
        "client_secret": [SECRET],
    }
    assert urlsplit(str(lead_request.url)).path == "/services/data/v62.0/sobjects/Lead"


def test_a_token_that_salesforce_refuses_is_renewed_once(redis: Any) -> None:
    spec = get_preset("salesforce_lead")
    refused = next(response for response in spec.expected_responses if response.status == 401)
    with responses.RequestsMock() as mock:
        add_token_server(mock, spec)
        add_response(mock, spec, refused)
        assert attempt(spec, redis).meaning.outcome is Outcome.UNAUTHORIZED

        tokens = [call.request.headers.get("Authorization") for call in mock.calls]
    assert tokens[1::2] == ["Bearer token-1", "Bearer token-2"]
