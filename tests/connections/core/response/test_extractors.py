"""Tests of the extractors."""

import time

import pytest

from connections.core.errors import DescriptionError
from connections.core.response.extractors import extractors, to_found_text
from connections.core.response.parsed import ParseFailure
from tests.connections.core.factories import parse_response

PEOPLE = '{"people": [{"id": 1, "tags": ["a", "b"]}, {"id": 2.50, "ok": true, "none": null}]}'
SOAP = """<soap:Envelope xmlns:soap="urn:soap" xmlns="urn:crm"><soap:Body>
<RESULT code="7" soap:role="x"><SUCCESS> TRUE </SUCCESS>
<Note>a<!-- c -->b<i>c</i></Note><Note/></RESULT>
</soap:Body></soap:Envelope>"""


def texts(where: str, path: str, content: str) -> list[str]:
    found = extractors[where](path).extract(parse_response(content))
    assert not isinstance(found, ParseFailure), found.why
    return [to_found_text(value) for value in found]


@pytest.mark.parametrize(
    ("path", "content", "found"),
    [
        ("people[0].id", PEOPLE, ["1"]),
        ("$.people[1].id", PEOPLE, ["2.50"]),
        ("people[*].id", PEOPLE, ["1", "2.50"]),
        ("people[1].ok", PEOPLE, ["true"]),
        ("people[1].none", PEOPLE, ["null"]),
        ("people[-1].missing", PEOPLE, []),
        ("$..tags[0]", PEOPLE, ["a"]),
        ("people[0].tags", PEOPLE, ['["a","b"]']),
        ("people[1]", PEOPLE, ['{"id":2.50,"ok":true,"none":null}']),
        ("$.people[?@.id == 1].tags[1]", PEOPLE, ["b"]),
        ("$.people[?@.id > 2].id", PEOPLE, ["2.50"]),
        ("$.people[0].tags[?search(@, 'b')]", PEOPLE, ["b"]),
        ("$.people[0].tags[?match(@, '[a-b]')]", PEOPLE, ["a", "b"]),
        ("[0].errorCode", '[{"errorCode": "DUPLICATE_VALUE"}]', ["DUPLICATE_VALUE"]),
        ("$[0].errorCode", '[{"errorCode": "DUPLICATE_VALUE"}]', ["DUPLICATE_VALUE"]),
        ("['error-code']", '{"error-code": 7}', ["7"]),
        ("$['@odata.error']", '{"@odata.error": 7}', ["7"]),
        (" status ", '{"status": "ok"}', ["ok"]),
        ("$", '"Already subscribed."', ["Already subscribed."]),
        ("$", '"[not] {json}"', ["[not] {json}"]),
        ("$", '"1"', ["1"]),
        ("status", '"bare text"', []),
        ("$.status", "17", []),
        ("$", "17", ["17"]),
        ("$", "true", ["true"]),
        ("$", "null", ["null"]),
        ("a", '{"a": ""}', [""]),
        ("a", '{"a": 1E5}', ["1E5"]),
        ("a", '{"a": %s}' % ("9" * 5_000), ["9" * 5_000]),
        ("a", '{"a": 2581697744617019994}', ["2581697744617019994"]),
    ],
)
def test_a_json_path_extracts_values(path: str, content: str, found: list[str]) -> None:
    assert texts("json", path, content) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("//SUCCESS", ["TRUE"]),
        ("/Envelope/Body/RESULT/SUCCESS", ["TRUE"]),
        ("/soap:Envelope/soap:Body/crm:RESULT/SUCCESS", ["TRUE"]),
        ("//SUCCESS/text()", [" TRUE "]),
        ("//RESULT/@code", ["7"]),
        ("//RESULT/@soap:role", ["x"]),
        ("//Note", ["abc", ""]),
        ("//Note[1]", ["abc"]),
        ("//missing", []),
        ("count(//Note)", ["2"]),
        ("count(//Note) > 1", ["true"]),
        ("count(//Note) > 2", []),
        ("string(//SUCCESS)", [" TRUE "]),
        ("normalize-space(//SUCCESS)", ["TRUE"]),
        ("//Note[. = 'soap:x']", []),
        ("//*[local-name() = 'SUCCESS']", ["TRUE"]),
        ("child::RESULT", []),
        ("//RESULT/child::SUCCESS", ["TRUE"]),
        ("//comment()", [" c "]),
    ],
)
def test_an_xpath_extracts_values_and_ignores_namespaces(path: str, found: list[str]) -> None:
    assert texts("xpath", path, SOAP) == found


def test_the_text_extractor_returns_the_whole_body() -> None:
    assert texts("text", "", "\ufefftrue\n") == ["true\n"]
    assert texts("text", "", "") == [""]


def test_a_header_is_extracted_in_any_case() -> None:
    found = extractors["header"](" x-result ").extract(
        parse_response("", (("X-Result", "a"), ("x-result", "b")))
    )
    assert found == ["a", "b"]
    assert extractors["header"]("X-Other").extract(parse_response()) == []


@pytest.mark.parametrize(
    ("where", "path", "content", "reason"),
    [
        ("json", "a", "", "the body is empty"),
        ("json", "a", "<r/>", "the body is not JSON"),
        ("json", "$..a", "[" * 500 + "]" * 500, "the path can't be applied to this body"),
        ("xpath", "//a", "", "the body is not XML"),
        ("xpath", "//a", "{}", "the body is not XML"),
        ("xpath", "//a", "<r><a>", "the body is not well-formed XML"),
        (
            "json",
            "$[?search(@, '(a+)+$')]",
            '["%s!"]' % ("a" * 5_000),
            "the pattern in the path takes too long for this body",
        ),
        (
            "json",
            "$[?match(@, '(a|aa)+')]",
            '["%s!"]' % ("a" * 5_000),
            "the pattern in the path takes too long for this body",
        ),
    ],
)
def test_a_body_that_cannot_be_searched_gives_a_parse_failure(
    where: str, path: str, content: str, reason: str
) -> None:
    started = time.process_time()
    assert extractors[where](path).extract(parse_response(content)) == ParseFailure(reason)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("path", ["$[?search(@, @)]", "$[?match(@.a, '(')]", "$[?search(@.a, 1)]"])
def test_an_invalid_pattern_in_a_json_path_matches_nothing(path: str) -> None:
    assert texts("json", path, '[{"a": "("}, 1]') == []


@pytest.mark.parametrize(
    ("where", "path", "message"),
    [
        ("json", "", "Is needed to look in a JSON path."),
        ("json", "  ", "Is needed to look in a JSON path."),
        (
            "json",
            "a[",
            "Not a valid JSON path: unexpected end of query. Write result[0].status, and",
        ),
        ("json", "a b", "Not a valid JSON path: "),
        ("json", "$.a\n.b[?", "Not a valid JSON path: "),
        ("json", "$[?foo(@.a)]", "Not a valid JSON path: function 'foo' is not defined."),
        ("json", "$.a | $.b", "Not a valid JSON path: unexpected token '|'."),
        ("json", "[" * 5_000, "Not a valid JSON path: "),
        ("xpath", "", "Is needed to look in an XPath."),
        ("xpath", "//", "Not a valid XPath: Invalid expression. Write it like //RESULT/SUCCESS."),
        ("xpath", "//a[", "Not a valid XPath: Invalid"),
        ("xpath", "foo(//a)", "Not a valid XPath: Unregistered function."),
        ("xpath", "re:test(//a, 'b')", "Not a valid XPath: Unregistered function."),
        ("xpath", "$x", "Not a valid XPath: Undefined variable."),
        ("xpath", "//a\0", "Not a valid XPath: All strings must be XML compatible"),
        ("header", "", "Is needed to look in a header."),
        ("text", "a", "Must stay empty to look in the body text."),
    ],
)
def test_an_invalid_path_is_refused(where: str, path: str, message: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        extractors[where](path)
    assert caught.value.field == "path"
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (1, "1"),
        ([], "[]"),
        ({}, "{}"),
        ({"é": ["\n"]}, '{"é":["\\n"]}'),
        (float("inf"), ""),
    ],
)
def test_an_extracted_value_is_converted_to_its_json_text(value: object, text: str) -> None:
    assert to_found_text(value) == text


def test_a_value_nested_too_deeply_becomes_an_empty_text() -> None:
    value: list[object] = []
    for _ in range(10_000):
        value = [value]
    assert to_found_text(value) == ""


def test_extractors_have_names_labels_and_help() -> None:
    assert [
        (name, extractor.label, extractor.needs_path) for name, extractor in extractors.items()
    ] == [
        ("text", "the body text", False),
        ("json", "a JSON path", True),
        ("xpath", "an XPath", True),
        ("header", "a header", True),
    ]
    assert all(extractor.path_help for extractor in extractors if extractor.needs_path)
