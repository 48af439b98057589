"""Owns how any body is read as JSON or XML without raising, and must not know rules."""

import time

import pytest
from lxml import etree

from connections.core.response.parsed import ParsedResponse, ParseFailure
from connections.core.values import ExactNumber
from tests.connections.core.factories import answer

ENTITIES = "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">'
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
LAUGHS = f'<!DOCTYPE r [<!ENTITY a "ha">{ENTITIES}]><r>&j;</r>'


def xml(found: ParsedResponse) -> str:
    assert isinstance(found.xml, etree._Element)
    return etree.tostring(found.xml, encoding="unicode")


def why(found: object) -> str:
    assert isinstance(found, ParseFailure)
    return found.why


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
def test_any_json_is_read(content: str, value: object) -> None:
    assert answer(content).json == value


@pytest.mark.parametrize("digits", ["2.50", "1E5", "1e999", "0.10", "-0.0", "9" * 5_000])
def test_a_number_keeps_its_digits(digits: str) -> None:
    assert str(answer(digits).json) == digits


def test_an_integer_is_exact() -> None:
    assert answer("2581697744617019994").json == 2581697744617019994


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
def test_what_is_no_json_says_why(content: str | bytes, reason: str) -> None:
    assert why(answer(content).json) == reason


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
def test_xml_is_read_where_its_end_is_there(content: str, read: str | None) -> None:
    found = answer(content)
    assert isinstance(found.xml, ParseFailure) if read is None else xml(found) == read


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
def test_namespaces_are_taken_off(content: str, names: list[str]) -> None:
    root = answer(content).xml
    assert isinstance(root, etree._Element)
    found = [str(element.tag) for element in root.iter()]
    assert sorted([*found, *("@" + str(name) for name in root.attrib)]) == sorted(names)


@pytest.mark.parametrize(
    "content",
    [
        LAUGHS,
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r/>',
        "<r>" + "<a>" * 50_000 + "</r>",
        "<" * 60_000,
        "<!" * 30_000,
        "<!-->" * 12_000 + "</r>",
    ],
)
def test_xml_made_to_harm_is_read_quickly_and_expands_nothing(content: str) -> None:
    started = time.process_time()
    found = answer(content).xml
    assert time.process_time() - started < 1
    if isinstance(found, etree._Element):
        assert "".join(map(str, found.itertext())) in ("", "&x;")


def test_a_body_is_parsed_once() -> None:
    found = answer('{"a": []}')
    assert found.json is found.json
    assert answer("<a/>").xml is not answer("<a/>").xml
