"""Tests of the formatting of bodies for people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.core.formatting import (
    Language,
    detect_language,
    indent_json,
    prettify,
    raw_text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_indenting_json_changes_no_value(value: Any) -> None:
    assert json.loads(indent_json(json.dumps(value))) == value


def test_json_is_indented_and_keeps_its_digits() -> None:
    assert indent_json('{"a":2.50,"b":{},"c":[1,{"d":[]}],"e":"x, {y"}') == (
        '{\n  "a": 2.50,\n  "b": {},\n  "c": [\n    1,\n    {\n      "d": []\n    }\n  ],\n'
        '  "e": "x, {y"\n}'
    )


@pytest.mark.parametrize(
    ("text", "content_type", "language"),
    [
        ('{"a": 1}', "text/html", Language.JSON),
        ("[1]", "", Language.JSON),
        ("{a: 1}", "application/json", Language.TEXT),
        ("<a/>", "text/plain", Language.XML),
        ("<!DOCTYPE html><p>no", "", Language.HTML),
        ("<p>no</p>", "text/html", Language.HTML),
        ("a=b&c=d", "application/x-www-form-urlencoded", Language.FORM),
        ("a=b", "", Language.TEXT),
        ("", "", Language.TEXT),
    ],
)
def test_the_language_is_detected_from_the_body_before_the_content_type(
    text: str, content_type: str, language: Language
) -> None:
    assert detect_language(text, content_type) is language


def test_xml_is_indented_and_keeps_its_declaration() -> None:
    text = '<?xml version="1.0"?><a><b x="1">t</b><c/></a>'
    assert prettify(text, Language.XML) == (
        '<?xml version="1.0"?>\n<a>\n  <b x="1">t</b>\n  <c/>\n</a>'
    )


def test_xml_whose_declaration_names_another_charset_keeps_its_characters() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'
    assert prettify(text, Language.XML) == ('<?xml version="1.0" encoding="ISO-8859-1"?>\n<a>é</a>')


def test_malformed_xml_is_unchanged() -> None:
    assert prettify("<a><b></a>", Language.XML) == "<a><b></a>"


def test_external_entities_are_not_loaded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    assert "root:" not in prettify(bomb, Language.XML)


def test_form_fields_are_decoded_one_per_line() -> None:
    assert prettify("a=1+2&b=%2B&c=", Language.FORM) == "a=1 2\nb=+\nc="


def test_bytes_that_are_not_text_are_shown_as_a_hex_dump() -> None:
    assert raw_text(b"ok \xc3\xa9") == "ok é"
    assert raw_text(b"\xff\x00abc") == f"000000  {'ff 00 61 62 63':<47}  ..abc"
