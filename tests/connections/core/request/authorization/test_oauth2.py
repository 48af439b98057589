"""Tests of the OAuth 2 client credentials authorization."""

import json
from collections.abc import Iterator

import pytest

from connections.core.errors import DescriptionError
from connections.core.messages import ErrorCode, Exchange, ExchangeError, Headers, Request
from connections.core.request.authorization import (
    Token,
    TokenNeeded,
    TokenRefusedError,
    TokenUnavailableError,
)
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from tests.connections.core.factories import (
    CONTEXT,
    FETCHED_TOKEN,
    NOW,
    URL,
    Content,
    build,
    exchange,
    header,
)

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Accept", "application/json")
GRANT = "grant_type=client_credentials"


def client(**settings: str) -> OAuth2ClientCredentials:
    defaults = {
        "token_url": "https://login.example/token",
        "client_id": "id",
        "client_secret": "s&c r",
    }
    return OAuth2ClientCredentials(**(defaults | settings))


def token(content: Content, status: int = 200) -> Token:
    request = client().token_request()
    return client().read_token(exchange(status, content, (), request))


@pytest.mark.parametrize(
    ("settings", "headers", "body"),
    [
        ({}, (JSON, FORM, ("Authorization", "Basic aWQ6cyUyNmMlMjBy")), GRANT),
        (
            {"client_id": "i:d é"},
            (JSON, FORM, ("Authorization", "Basic aSUzQWQlMjAlQzMlQTk6cyUyNmMlMjBy")),
            GRANT,
        ),
        (
            {"scope": " a  b "},
            (JSON, FORM, ("Authorization", "Basic aWQ6cyUyNmMlMjBy")),
            f"{GRANT}&scope=a+b",
        ),
        (
            {"audience": "https://crm"},
            (JSON, FORM, ("Authorization", "Basic aWQ6cyUyNmMlMjBy")),
            f"{GRANT}&audience=https%3A%2F%2Fcrm",
        ),
        (
            {"extra": "resource=x%20y&b=1"},
            (JSON, FORM, ("Authorization", "Basic aWQ6cyUyNmMlMjBy")),
            f"resource=x+y&b=1&{GRANT}",
        ),
        (
            {"client_authentication": "body"},
            (JSON, FORM),
            f"{GRANT}&client_id=id&client_secret=s%26c+r",
        ),
    ],
)
def test_a_token_request_follows_rfc_6749(
    settings: dict[str, str], headers: Headers, body: str
) -> None:
    request = client(**settings).token_request()
    assert (request.method, request.url) == ("POST", "https://login.example/token")
    assert (request.headers, request.body) == (headers, body.encode())


@pytest.mark.parametrize("method", ["basic", "body"])
def test_a_masked_token_request_hides_the_client_secret(method: str) -> None:
    masked = client(client_authentication=method).token_request().masked()
    in_header = ("Authorization", "Basic ••••") in masked.headers
    in_body = b"client_secret=\xe2\x80\xa2" in masked.body
    assert (in_header, in_body) == (method == "basic", method == "body")


def test_the_token_is_sent_as_a_bearer_token_and_masked() -> None:
    request = build(authorization=client())
    assert header(request, "Authorization") == f"Bearer {FETCHED_TOKEN}"
    assert header(request.masked(), "Authorization") == "Bearer ••••"


def test_a_fetched_token_is_masked_beside_all_other_credentials() -> None:
    mask = build(authorization=client(), credentials={"list": "l1st"}).mask
    assert mask.in_text(f"{FETCHED_TOKEN}, l1st, s&c r") == "••••, ••••, ••••"
    assert build().mask.in_text(FETCHED_TOKEN) == FETCHED_TOKEN


def flow_steps(inputs: list[str]) -> Iterator[TokenNeeded | str | None]:
    """Yield the token requests and Authorization headers of a flow until it or the inputs end."""
    flow = client().flow(Request(method="POST", url=URL), CONTEXT)
    step = next(flow)
    for value in [*inputs, ""]:
        yield step if isinstance(step, TokenNeeded) else header(step, "Authorization")
        try:
            step = flow.send(value)
        except StopIteration:
            return


@pytest.mark.parametrize(
    ("inputs", "steps"),
    [
        (["1", "delivered", "2"], [TokenNeeded(client()), "Bearer 1"]),
        (["1", "rejected", "2"], [TokenNeeded(client()), "Bearer 1"]),
        (
            ["1", "unauthorized", "2", "unauthorized", "3"],
            [TokenNeeded(client()), "Bearer 1", TokenNeeded(client(), refused="1"), "Bearer 2"],
        ),
        (
            ["1", "unauthorized", "1", "3"],
            [TokenNeeded(client()), "Bearer 1", TokenNeeded(client(), refused="1")],
        ),
    ],
)
def test_a_refused_token_is_renewed_and_sent_once(
    inputs: list[str], steps: list[TokenNeeded | str]
) -> None:
    assert list(flow_steps(inputs)) == steps


@pytest.mark.parametrize(
    ("content", "lifetime"),
    [
        ('{"access_token": "t", "token_type": "bearer", "expires_in": 3600}', 3600.0),
        ('{"access_token": "t", "expires_in": "60"}', 60.0),
        ('{"access_token": "t", "expires_in": 60.9}', 60.0),
        ('{"access_token": "t"}', 300.0),
        ('{"access_token": "t", "expires_in": null}', 300.0),
        ('{"access_token": "t", "expires_in": -5}', 0.0),
        ('{"access_token": "t", "expires_in": %s}' % ("9" * 400), 86_400.0),
        ('{"access_token": "t", "scope": "another than asked for"}', 300.0),
        ("access_token=t&expires_in=60", 60.0),
    ],
)
def test_a_token_and_its_lifetime_are_read(content: str, lifetime: float) -> None:
    assert token(content) == Token(value="t", lifetime=lifetime)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"error": "invalid_client"}', "invalid_client"),
        ('{"error": "bad secret s&c r"}', "bad secret ••••"),
        ('{"token": "t"}', "missing_token"),
        ('{"access_token": ""}', "no token in it"),
        ('{"access_token": 5}', "no token in it"),
        ('{"access_token": "t", "expires_in": "soon"}', "no token in it"),
        ('{"access_token": "t", "expires_in": Infinity}', "no token in it"),
        ("[]", "no token in it"),
        ("null", "no token in it"),
        ("", "missing_token"),
        ("<html>", "missing_token"),
        (b"\xff\xfe\x00", "missing_token"),
        ("[" * 100_000, "no token in it"),
    ],
)
def test_a_response_without_a_token_raises_token_refused(content: Content, reason: str) -> None:
    with pytest.raises(TokenRefusedError) as caught:
        token(content, 400)
    assert str(caught.value) == f"The token server answered with status 400 ({reason})."


def test_a_long_error_message_is_cut() -> None:
    with pytest.raises(TokenRefusedError) as caught:
        token(json.dumps({"error": "x" * 5_000}))
    assert len(str(caught.value)) == 500


def test_a_missing_response_raises_token_unavailable_with_the_reason() -> None:
    error = ExchangeError(code=ErrorCode.DNS, message="No such host: s&c r.")
    failed = Exchange(request=client().token_request(), error=error, finished_at=NOW)
    with pytest.raises(TokenUnavailableError) as caught:
        client().read_token(failed)
    assert caught.value.code is ErrorCode.CONNECT_FAILED
    assert str(caught.value) == "The token could not be fetched. No such host: ••••."


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_temporary_status_raises_token_unavailable(status: int) -> None:
    with pytest.raises(TokenUnavailableError) as caught:
        token("", status)
    assert str(caught.value) == f"The token server answered with status {status} (missing_token)."


@pytest.mark.parametrize(
    "url", ["login.example/token", "ftp://x/", "https://", "javascript:x", "https://[x"]
)
def test_an_invalid_token_url_is_refused(url: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        client(token_url=url)
    assert caught.value.field == "token_url"
    assert caught.value.message == "Must be a whole URL that starts with https:// or http://."
