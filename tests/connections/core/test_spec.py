"""Tests of the validation of specs."""

from typing import Any

import pytest

from connections.core.errors import DescriptionError, did_you_mean
from connections.core.request.authorization import authorizations
from connections.core.request.builder import RequestBuilder
from connections.core.response.matching import ResponseHandling
from tests.connections.core.factories import URL, rule, spec

KNOWN = ("email", "first_name", "age")
PRODUCTION = "endpoints.production"
CONDITION = {"where": "json", "path": "a", "operator": "equals", "value": "x"}


def endpoint(url: str) -> dict[str, object]:
    return {"endpoints": {"production": url}}


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"method": "FETCH"}, "method", "Must be one of GET, POST, PUT, PATCH, DELETE."),
        ({"endpoints": {}}, PRODUCTION, "The connection has no endpoint for production."),
        (
            endpoint("crm.example"),
            PRODUCTION,
            "Must be a whole URL that starts with https:// or http://.",
        ),
        (endpoint("ftp://crm.example"), PRODUCTION, "Must be a whole URL that starts with"),
        (endpoint("https:///x"), PRODUCTION, "Must be a whole URL that starts with"),
        (
            endpoint("https://me:pw@crm.example/"),
            PRODUCTION,
            "Must not hold a user name: use the authorization.",
        ),
        (
            endpoint("https://crm.example/ü"),
            PRODUCTION,
            "Write other than ASCII letters as they go over the wire: %C3%BC, xn--…",
        ),
        (
            endpoint("https://{{ email }}.example/"),
            PRODUCTION,
            "The host may hold {{ credentials.NAME }}, but no attribute and no tag.",
        ),
        (
            endpoint("https://crm.example{{ age }}/"),
            PRODUCTION,
            "The host may hold {{ credentials.NAME }}, but no attribute",
        ),
        (
            endpoint("https://{% if age %}a{% endif %}.example/"),
            PRODUCTION,
            "The host may hold {{ credentials.NAME }}, but no",
        ),
        (
            endpoint(URL + "/{{ emial }}"),
            PRODUCTION,
            'There is no attribute "emial". Did you mean "email"?',
        ),
        (endpoint(URL + "/{{ email"), PRODUCTION, "Not a valid template: expected '}}'"),
        (
            {"headers": {"Bad Name": "x"}},
            "headers.Bad Name",
            '"Bad Name" can\'t be the name of a header.',
        ),
        (
            {"headers": {"host": "x"}},
            "headers.host",
            "The header host is set by the connection itself.",
        ),
        (
            {"headers": {"Content-Length": "1"}},
            "headers.Content-Length",
            "The header Content-Length is set by the connection itself.",
        ),
        (
            {"headers": {"Transfer-Encoding": "x"}},
            "headers.Transfer-Encoding",
            "The header Transfer-Encoding is set by",
        ),
        (
            {"headers": {"Connection": "x"}},
            "headers.Connection",
            "The header Connection is set by the connection itself.",
        ),
        ({"headers": {"content-type": "x"}}, "headers.content-type", "Set content_type instead."),
        ({"headers": {"X": "a\nb"}}, "headers.X", "A header can't hold a line break."),
        (
            {"headers": {"X": "{{ credentials.kee }}"}},
            "headers.X",
            'There is no credential "kee". Did you mean "key"?',
        ),
        (
            {"headers": {"X": "{{ email | upcse }}"}},
            "headers.X",
            'There is no filter "upcse". Did you mean "upcase"?',
        ),
        ({"content_type": "a\r\nb"}, "content_type", "A header can't hold a line break."),
        (
            {"idempotency_header": "a b"},
            "idempotency_header",
            '"a b" can\'t be the name of a header.',
        ),
        (
            {"idempotency_header": "Host"},
            "idempotency_header",
            "The header Host is set by the connection itself.",
        ),
        (
            {"encoding": "jsn"},
            "body.encoding",
            'There is no body encoding "jsn". Did you mean "json"? Known: json, text,',
        ),
        (
            {"method": "GET", "document": "{}"},
            "body.encoding",
            "GET has no body: use URL encoded, or no document.",
        ),
        (
            {"document": '{\n"a": }'},
            "body.document",
            "Not valid JSON in line 2, column 6: Expecting value.",
        ),
        (
            {"document": '{"a": {{ age }}}'},
            "body.document",
            "Not valid JSON in line 1, column 8: Expecting property name",
        ),
        (
            {"document": '["{{ frist_name }}"]'},
            "body.document",
            'There is no attribute "frist_name". Did you mean "first_name"?',
        ),
        (
            {"document": '["{{ email | md6 }}"]'},
            "body.document",
            'There is no filter "md6". Did you mean "md5"?',
        ),
        (
            {"encoding": "xml", "document": "<!DOCTYPE a><a/>"},
            "body.document",
            "A document type declaration (<!DOCTYPE …>) is not allowed.",
        ),
        (
            {"encoding": "xml", "document": "<a>"},
            "body.document",
            "Not valid XML: Premature end of data in tag a line 1",
        ),
        (
            {"encoding": "urlencoded", "document": "a"},
            "body.document",
            "Line 1 is not of the form name=value.",
        ),
        (
            {"required": ("emial",)},
            "required",
            'There is no attribute "emial". Did you mean "email"?',
        ),
    ],
)
def test_an_invalid_connection_is_refused_at_its_field(
    fields: dict[str, object], field: str, message: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        RequestBuilder(spec(**{"credentials": {"key": "k"}, **fields})).check_attributes(KNOWN)
    assert caught.value.field == field
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        (
            {"status": "20"},
            "status",
            '"20" is no status; write 201, 2xx, 400-499, or several with commas.',
        ),
        ({"status": "6xx"}, "status", '"6xx" is no status; write'),
        ({"status": "499-400"}, "status", '"499-400" is no status; write'),
        ({"status": "200, ok"}, "status", '"ok" is no status; write'),
        ({"status": ","}, "status", "A rule needs a status, a condition, or both."),
        ({}, "status", "A rule needs a status, a condition, or both."),
        (
            {**CONDITION, "where": "jsn"},
            "where",
            'There is no place "jsn". Did you mean "json"? Known: text, json, xpath, header.',
        ),
        (
            {**CONDITION, "operator": "equal"},
            "operator",
            'There is no operator "equal". Did you mean "equals"? Known: equals, one_of,',
        ),
        ({**CONDITION, "operator": ""}, "operator", 'There is no operator "".'),
        ({**CONDITION, "path": ""}, "path", "Is needed to look in a JSON path."),
        (
            {**CONDITION, "path": "a["},
            "path",
            "Not a valid JSON path: unexpected end of query. Write result[0].status, and names",
        ),
        (
            {**CONDITION, "where": "xpath", "path": "//["},
            "path",
            "Not a valid XPath: Invalid expression. Write it like //RESULT/SUCCESS.",
        ),
        ({**CONDITION, "where": "text"}, "path", "Must stay empty to look in the body text."),
        (
            {**CONDITION, "operator": "matches", "value": "("},
            "value",
            "Not a valid pattern: missing ) at position 1.",
        ),
        ({**CONDITION, "operator": "exists"}, "value", 'Must stay empty for "exists".'),
        ({**CONDITION, "value": ()}, "value", 'Is needed for "equals".'),
        (
            {**CONDITION, "value": ("a", "b")},
            "value",
            'Must be one value for "equals"; one_of takes several.',
        ),
        ({"status": "200", "path": "a"}, "path", "Has no meaning without where."),
        ({"status": "200", "operator": "equals"}, "operator", "Has no meaning without where."),
        ({"status": "200", "value": "x"}, "value", "Has no meaning without where."),
    ],
)
def test_an_invalid_rule_is_refused_at_its_field(
    fields: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        rule(**fields)
    assert caught.value.field == field
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reason": "a["}, "reason"),
        ({"reference": "//["}, "reference"),
        ({"reason": "foo(a)"}, "reason"),
    ],
)
def test_an_invalid_reason_or_reference_path_is_refused(fields: dict[str, str], field: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        ResponseHandling(**fields)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("kind", "settings", "field", "message"),
    [
        ("basic", {"user": "x"}, "user", '"basic" has no such setting. Did you mean "username"?'),
        ("api_key", {"key": "k"}, "name", "Name is needed."),
        ("api_key", {"name": "X", "location": "body"}, "location", "Must be one of header, query."),
        ("oauth2_client_credentials", {"client_id": "x"}, "token_url", "Token URL is needed."),
        (
            "oauth2_client_credentials",
            {"token_url": "x", "client_id": "x"},
            "token_url",
            "Must be a whole URL that starts with",
        ),
        ("signature", {"algorithm": "md5"}, "algorithm", "Must be one of sha256, sha512, sha1."),
    ],
)
def test_an_invalid_authorization_setting_is_refused_at_its_field(
    kind: str, settings: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        authorizations[kind].from_settings(settings)
    assert caught.value.field == field
    assert caught.value.message.startswith(message)


def test_an_unknown_authorization_lists_the_known_ones() -> None:
    with pytest.raises(DescriptionError) as caught:
        authorizations["barer"]
    assert str(caught.value) == (
        'authorization.kind: There is no authorization "barer". Did you mean "bearer"? '
        "Known: oauth2_client_credentials, signature, none, basic, api_key, bearer."
    )


def test_an_error_is_prefixed_with_the_table_that_holds_its_field() -> None:
    error = DescriptionError("path", "Is wrong.").under("rules[2]")
    assert (error.field, str(error)) == ("rules[2].path", "rules[2].path: Is wrong.")
    assert DescriptionError("", "Is wrong.").under("wait").field == "wait"


@pytest.mark.parametrize(
    ("word", "expected"), [("emial", ' Did you mean "email"?'), ("zzz", ""), ("", "")]
)
def test_a_suggestion_is_the_nearest_word_or_empty(word: str, expected: str) -> None:
    assert did_you_mean(word, KNOWN) == expected
