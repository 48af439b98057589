"""Tests of the parsing of response bodies."""

import time

import pytest
from lxml import etree

from connections.core.response.parsed import ParsedResponse, ParseFailure
from connections.core.values import ExactNumber
from tests.connections.core.factories import parse_response

ENTITIES = "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">'
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
BILLION_LAUGHS = f'<!DOCTYPE r [<!ENTITY a "ha">{ENTITIES}]><r>&j;</r>'


def serialize(parsed: ParsedResponse) -> str:
    assert isinstance(parsed.xml, etree._Element)
    return etree.tostring(parsed.xml, encoding="unicode")


def failure_reason(failure: object) -> str:
    assert isinstance(failure, ParseFailure)
    return failure.why


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("\ufeff[1]", [1]),
        (" \n 17 \r\n", 17),
        ('"Already subscribed."', "Already subscribed."),
        ("null", None),
        ("false", False),
        (r'"\ud800"', "\ud800"),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("9" * 5_000, ExactNumber("9" * 5_000)),
        ("-" + "9" * 4_300, ExactNumber("-" + "9" * 4_300)),
        ("1e999999", ExactNumber("1e999999")),
    ],
)
def test_a_json_body_is_parsed(content: str, value: object) -> None:
    assert parse_response(content).json == value


@pytest.mark.parametrize("digits", ["2.50", "1E5", "1e999", "0.10", "-0.0", "9" * 5_000])
def test_a_number_keeps_its_digits(digits: str) -> None:
    assert str(parse_response(digits).json) == digits


def test_an_integer_is_exact() -> None:
    assert parse_response("2581697744617019994").json == 2581697744617019994


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the body is empty"),
        (" \r\n", "the body is empty"),
        (b"\xef\xbb\xbf", "the body is empty"),
        ("<html>", "the body is not JSON"),
        ("true dat", "the body is not JSON"),
        ('{"a": 1', "the body is not JSON"),
        ("{'a': 1}", "the body is not JSON"),
        ('{"a": NaN}', "the body is not JSON"),
        ("Infinity", "the body is not JSON"),
        (b"\xff\xfe\x00", "the body is not JSON"),
        ("[" * 100_000, "the body is JSON that is nested too deeply"),
        ('{"a":' * 100_000, "the body is JSON that is nested too deeply"),
    ],
)
def test_a_body_that_is_not_json_gives_a_parse_failure(content: str | bytes, reason: str) -> None:
    assert failure_reason(parse_response(content).json) == reason


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("<r><s>x</s></r>", "<r><s>x</s></r>"),
        ('\ufeff \n<?xml version="1.0" encoding="utf-16"?>\n<r/>', "<r/>"),
        ("<r><s>a & b</s></r>", "<r><s>a &amp; b</s></r>"),
        ("<r><s>a &amp; b &#233; &#xe9;</s></r>", "<r><s>a &amp; b é é</s></r>"),
        ("<r><a href='x?b=1&c=2'/></r>", '<r><a href="x?b=1&amp;c=2"/></r>'),
        ("<!-- a > b --><r>a & b</r>", "<r>a &amp; b</r>"),
        ("<r><s>1 < 2</s>", None),
        ("<r><s>Matched</s>", None),
        ("<r><s>Matched", None),
        ("<r", None),
        ("<r></r>junk", None),
        ("PHP warning<r/>", None),
        ("{}", None),
        ("", None),
        ("<r><s>x\x00</s></r>", "<r><s>x</s></r>"),
        ("<!DOCTYPE html><html><p>x</p></html>", "<html><p>x</p></html>"),
    ],
)
def test_an_xml_body_is_parsed_if_its_root_is_closed(content: str, read: str | None) -> None:
    parsed = parse_response(content)
    assert isinstance(parsed.xml, ParseFailure) if read is None else serialize(parsed) == read


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('<r xmlns="urn:x"><s/></r>', ["r", "s"]),
        ('<x:r xmlns:x="urn:x"><x:s/></x:r>', ["r", "s"]),
        ("<soap:r><soap:s>x</soap:s></soap:r>", ["r", "s"]),
        ('<r xmlns:x="urn:x" x:a="1" b="2"/>', ["r", "@a", "@b"]),
        ("<r x:a='1' y:a='2'></r>", ["r", "@a"]),
    ],
)
def test_namespaces_are_removed(content: str, names: list[str]) -> None:
    root = parse_response(content).xml
    assert isinstance(root, etree._Element)
    found = [str(element.tag) for element in root.iter()]
    assert sorted([*found, *("@" + str(name) for name in root.attrib)]) == sorted(names)


@pytest.mark.parametrize(
    "content",
    [
        BILLION_LAUGHS,
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r/>',
        "<r>" + "<a>" * 50_000 + "</r>",
        "<" * 60_000,
        "<!" * 30_000,
        "<!-->" * 12_000 + "</r>",
    ],
)
def test_malicious_xml_is_parsed_quickly_and_no_entity_is_expanded(content: str) -> None:
    started = time.process_time()
    root = parse_response(content).xml
    assert time.process_time() - started < 1
    if isinstance(root, etree._Element):
        assert "".join(map(str, root.itertext())) in ("", "&x;")


def test_a_body_is_parsed_once() -> None:
    parsed = parse_response('{"a": []}')
    assert parsed.json is parsed.json
    assert parse_response("<a/>").xml is not parse_response("<a/>").xml
