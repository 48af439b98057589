"""Owns the words of OAuth 2 client credentials, and must not know how a token is fetched."""

import json

import pytest

from connections.core.errors import DescriptionError
from connections.core.messages import ErrorCode, Exchange, ExchangeError, Headers
from connections.core.request.authorization import Token, TokenError
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from tests.connections.core.factories import NOW, Given, build, exchange, header

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Accept", "application/json")
GRANT = "grant_type=client_credentials"


def client(**settings: str) -> OAuth2ClientCredentials:
    given = {
        "token_url": "https://login.example/token",
        "client_id": "id",
        "client_secret": "s&c r",
    }
    return OAuth2ClientCredentials(**(given | settings))


def token(content: Given, status: int = 200) -> Token:
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
def test_a_token_is_asked_for_in_the_words_of_rfc_6749(
    settings: dict[str, str], headers: Headers, body: str
) -> None:
    request = client(**settings).token_request()
    assert (request.method, request.url) == ("POST", "https://login.example/token")
    assert (request.headers, request.body) == (headers, body.encode())


@pytest.mark.parametrize("how", ["basic", "body"])
def test_the_request_for_a_token_masks_the_secret(how: str) -> None:
    shown = client(client_authentication=how).token_request().masked()
    in_header = ("Authorization", "Basic ••••") in shown.headers
    in_body = b"client_secret=\xe2\x80\xa2" in shown.body
    assert (in_header, in_body) == (how == "basic", how == "body")


def test_the_token_is_sent_as_bearer_and_masked() -> None:
    request = build(authorization=client())
    assert header(request, "Authorization") == "Bearer fetched-token"
    assert header(request.masked(), "Authorization") == "Bearer ••••"


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
    ("content", "why"),
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
def test_an_answer_without_a_token_is_refused_in_one_sentence(content: Given, why: str) -> None:
    with pytest.raises(TokenError) as caught:
        token(content, 400)
    assert str(caught.value) == f"The token server answered with status 400 ({why})."


def test_a_long_refusal_is_cut() -> None:
    with pytest.raises(TokenError) as caught:
        token(json.dumps({"error": "x" * 5_000}))
    assert len(str(caught.value)) == 500


def test_no_answer_is_refused_with_the_reason() -> None:
    error = ExchangeError(code=ErrorCode.DNS, message="No such host: s&c r.")
    lost = Exchange(request=client().token_request(), error=error, finished_at=NOW)
    with pytest.raises(TokenError) as caught:
        client().read_token(lost)
    assert str(caught.value) == "The token could not be fetched. No such host: ••••."


@pytest.mark.parametrize("url", ["login.example/token", "ftp://x/", "https://", "javascript:x"])
def test_a_token_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        client(token_url=url)
    assert caught.value.field == "token_url"
    assert caught.value.message == "Must be a whole URL that starts with https:// or http://."
