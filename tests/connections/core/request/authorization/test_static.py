"""Tests of the basic, bearer and API key authorizations."""

import pytest

from connections.core.errors import DescriptionError
from connections.core.messages import Request
from connections.core.request.authorization import Authorization
from connections.core.request.authorization.static import ApiKey, Basic, Bearer, None_
from tests.connections.core.factories import CONTEXT, URL, build, header


def test_the_kind_none_adds_no_header() -> None:
    assert build(authorization=None_()) == build()
    assert header(build(), "Authorization") is None


@pytest.mark.parametrize(
    ("username", "password", "value"),
    [
        ("user", "pass", "Basic dXNlcjpwYXNz"),
        ("", "key-us9", "Basic OmtleS11czk="),
        ("any", "", "Basic YW55Og=="),
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123£", "Basic dGVzdDoxMjPCow=="),
        ("a:b", "c", "Basic YTpiOmM="),
    ],
)
def test_basic_encodes_user_and_password_in_utf_8(username: str, password: str, value: str) -> None:
    request = build(authorization=Basic(username=username, password=password))
    assert header(request, "Authorization") == value


@pytest.mark.parametrize(
    ("prefix", "value"),
    [("", "k y&"), ("Klaviyo-API-Key", "Klaviyo-API-Key k y&"), ("Token ", "Token k y&")],
)
def test_an_api_key_in_a_header_follows_its_prefix(prefix: str, value: str) -> None:
    request = build(authorization=ApiKey(name="X-Api-Key", prefix=prefix, key="k y&"))
    assert header(request, "X-Api-Key") == value


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (URL, f"{URL}?api%20key=k%20y%26%2B"),
        (f"{URL}?a=1", f"{URL}?a=1&api%20key=k%20y%26%2B"),
        (f"{URL}?a=1#part", f"{URL}?a=1&api%20key=k%20y%26%2B"),
    ],
)
def test_an_api_key_in_the_query_is_percent_encoded(endpoint: str, url: str) -> None:
    key = ApiKey(location="query", name="api key", key="k y&+")
    assert build(authorization=key, endpoints={"production": endpoint}).url == url


def test_an_api_key_is_appended_to_the_query_of_a_get_request() -> None:
    key = ApiKey(location="query", name="key", key="k")
    request = build(
        {"email": "a@b"},
        method="GET",
        authorization=key,
        encoding="urlencoded",
        document="e={{ email }}",
    )
    assert request.url == f"{URL}?e=a%40b&key=k"


def test_a_bearer_token_replaces_an_authorization_header() -> None:
    request = build(authorization=Bearer(token="t"), headers={"authorization": "mine"})
    values = [value for name, value in request.headers if name.lower() == "authorization"]
    assert values == ["Bearer t"]


@pytest.mark.parametrize(
    ("authorization", "secrets", "derived"),
    [
        (None_(), {}, ()),
        (Basic(username="u", password="p"), {"password": "p"}, ("dTpw",)),
        (Basic(username="u"), {}, ("dTo=",)),
        (ApiKey(name="X", key="k"), {"key": "k"}, ()),
        (Bearer(token="t"), {"token": "t"}, ()),
    ],
)
def test_secrets_are_listed_and_absent_from_the_repr(
    authorization: Authorization, secrets: dict[str, str], derived: tuple[str, ...]
) -> None:
    assert authorization.secrets() == secrets
    assert authorization.derived_secrets() == derived
    assert not any(f"{name}=" in repr(authorization) for name in secrets)
    assert len(list(authorization.flow(Request(method="GET", url=URL), CONTEXT))) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("X Key", '"X Key" can\'t be the name of a header.'),
        ("X-Key\r\nEvil: 1", '"X-Key\r\nEvil: 1" can\'t be the name of a header.'),
        ("", '"" can\'t be the name of a header.'),
        ("Host", "The header Host is set by the connection itself."),
        ("content-length", "The header content-length is set by the connection itself."),
    ],
)
def test_an_api_key_in_an_invalid_header_is_refused(name: str, message: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        build(authorization=ApiKey(name=name, key="k"))
    assert (caught.value.field, caught.value.message) == ("authorization", message)


@pytest.mark.parametrize("secret", ["a\r\nEvil: 1", "a\nb", "a\0"])
def test_a_credential_with_a_line_break_is_refused(secret: str) -> None:
    for authorization in (Bearer(token=secret), ApiKey(name="X", key=secret)):
        with pytest.raises(DescriptionError, match="A header can't hold a line break"):
            build(authorization=authorization)
