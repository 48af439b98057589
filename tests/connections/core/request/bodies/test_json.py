"""Tests of the JSON body encoding."""

import json
from typing import Any

import pytest

from connections.core.errors import BuildError, DescriptionError
from connections.core.request.bodies import body_encodings
from connections.core.values import ExactNumber
from tests.connections.core.factories import body


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("Jo", rb'"Jo"'),
        ('say "hi"', rb'"say \"hi\""'),
        ("back\\slash", rb'"back\\slash"'),
        ("a&b<c>'d'", b"\"a&b<c>'d'\""),
        ("two\r\nlines\t", rb'"two\r\nlines\t"'),
        ("+1 732", b'"+1 732"'),
        ("01234", b'"01234"'),
        ("2581697744617019994", b'"2581697744617019994"'),
        ("🎉 é", b'"\xf0\x9f\x8e\x89 \xc3\xa9"'),
        ("שלום", '"שלום"'.encode()),
        ("\u2028", b'"\xe2\x80\xa8"'),
        ("{{ email }}", b'"{{ email }}"'),
        (2581697744617019994, b"2581697744617019994"),
        (0, b"0"),
        (-7, b"-7"),
        (ExactNumber("2.50"), b"2.50"),
        (ExactNumber("0.00000001"), b"0.00000001"),
        (ExactNumber("12345678901234567890.12345"), b"12345678901234567890.12345"),
        (True, b"true"),
        (False, b"false"),
        (["a", 1, None, True], b'["a", 1, null, true]'),
        ({"a": ExactNumber("1.0")}, b'{"a": 1.0}'),
    ],
)
def test_a_lone_placeholder_keeps_the_type_of_its_value(value: object, sent: bytes) -> None:
    assert body("json", '{"x": "{{ value }}"}', value=value) == b'{"x": ' + sent + b"}"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ('"', rb'"<\">"'),
        ("\\", rb'"<\\>"'),
        (25, b'"<25>"'),
        (ExactNumber("2.50"), b'"<2.50>"'),
        (True, b'"<true>"'),
        (None, b'"<>"'),
    ],
)
def test_a_placeholder_among_text_is_rendered_as_text(value: object, sent: bytes) -> None:
    assert body("json", '{"x": "<{{ value }}>"}', value=value) == b'{"x": ' + sent + b"}"


@pytest.mark.parametrize("placeholder", ["{{ age }}", "{{age}}", "{{- age -}}", " {{- age -}} "])
def test_spaces_inside_a_lone_placeholder_are_ignored(placeholder: str) -> None:
    assert body("json", json.dumps([placeholder]), age=25) == b"[25]"


@pytest.mark.parametrize(
    ("template", "sent"),
    [
        ("{{ age | plus: 1 }}", b"26"),
        ("{{ age | append: '' }}", b'"25"'),
        ("{{ age }}{{ price }}", b'"252.50"'),
        ("{{ age }} ", b'"25 "'),
        ("{{ price | times: 1.1 }}", b"2.75"),
        ("{{ price | append: ' EUR' }}", b'"2.50 EUR"'),
        ("{{ missing | default: 'none' }}", b'"none"'),
        ("{{ optin | append: '' }}", b'"true"'),
        ("{{ email.size }}", b"6"),
        ("{% if age > 18 %}adult{% endif %}", b'"adult"'),
        ("{% if price > 2.25 %}dear{% endif %}", b'"dear"'),
        ("{{ 'a,b' | split: ',' }}", b'["a", "b"]'),
        ("{{ missing | json }}", b'"null"'),
        ("{{ email | json }}", rb'"\"jo@x.y\""'),
    ],
)
def test_a_filter_determines_the_type_of_the_value(template: str, sent: bytes) -> None:
    attributes: dict[str, Any] = {
        "age": 25,
        "price": ExactNumber("2.50"),
        "optin": True,
        "email": "jo@x.y",
    }
    assert body("json", json.dumps([template]), **attributes) == b"[" + sent + b"]"


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize(
    ("empty", "sent"),
    [
        ("omit", b'{"a": 1, "d": ["y"]}'),
        ("empty", b'{"a": 1, "b": "", "c": "", "d": ["", "y"]}'),
        ("null", b'{"a": 1, "b": null, "c": null, "d": [null, "y"]}'),
    ],
)
def test_empty_values_are_left_out_or_sent_as_the_connection_says(
    empty: str, sent: bytes, value: str | None
) -> None:
    document = '{"a": 1, "b": "{{ x }}", "c": "{{ missing | upcase }}", "d": ["{{ x }}", "y"]}'
    assert body("json", document, empty, x=value) == sent


def test_zero_and_false_are_not_empty_values() -> None:
    assert body("json", '["{{ a }}", "{{ b }}"]', a=0, b=False) == b"[0, false]"


@pytest.mark.parametrize("filter_", ["md5", "sha256", "hmac_sha256: 'k'", "base64", "e164: 'US'"])
def test_a_missing_value_stays_missing_through_filters(filter_: str) -> None:
    document = json.dumps(
        {"a": 1, "b": "{{ email | downcase | FILTER }}".replace("FILTER", filter_)}
    )
    assert body("json", document) == b'{"a": 1}'


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        ('[{"x": "{{ v }}"}, [["{{ v }}"]]]', b'[{"x": "1"}, [["1"]]]'),
        ('"{{ v }}"', b'"1"'),
        ('"constant"', b'"constant"'),
        ("17", b"17"),
        ("null", b"null"),
        ("{}", b"{}"),
        ("[]", b"[]"),
        ('\ufeff{"a": "b"}', b'{"a": "b"}'),
        ('{"a.b[0]": "{{ v }}", "é": 1}', '{"a.b[0]": "1", "é": 1}'.encode()),
        ('{"n": 2.50, "e": 1e5, "z": -0, "id": 2581697744617019994}', None),
        ('{"t": true, "f": false, "n": null, "s": "{"}', None),
        (
            r'{"q": "\"\\\u00e9", "emoji": "\ud83d\ude00"}',
            '{"q": "\\"\\\\é", "emoji": "😀"}'.encode(),
        ),
    ],
)
def test_a_json_document_is_sent_unchanged(document: str, sent: bytes | None) -> None:
    assert body("json", document, v="1") == (document.encode() if sent is None else sent)


def test_a_root_without_a_value_makes_an_empty_body() -> None:
    assert body("json", '"{{ v }}"') == b""


def test_a_raw_block_keeps_its_braces() -> None:
    assert body("json", '["{% raw %}{{ x }}{% endraw %}"]', x=1) == b'["{{ x }}"]'


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{\n "a": 1\n "b": 2}', "Not valid JSON in line 3, column 2: Expecting ',' delimiter."),
        ("", "Not valid JSON in line 1, column 1: Expecting value."),
        ('{"a": {{ age }}}', 'A placeholder stands in quotes, as in "{{ age }}"; alone,'),
        ('["{{ a | append: "b" }}"]', "Inside a placeholder, texts stand in single quotes."),
        ('{"a": NaN}', "NaN is not a JSON value."),
        ('{"a": 1, "a": 2}', 'The JSON names "a" twice in one object.'),
        ('{"{{ a }}": 1}', 'A placeholder can\'t stand in a name: "{{ a }}".'),
        ("[" * 70 + "]" * 70, "The JSON is nested deeper than 64 levels."),
        ("[" * 100_000, "The JSON is nested deeper than 64 levels."),
        (r'["\ud800"]', r"The JSON holds half of a character; write both halves, as in \ud83d"),
    ],
)
def test_a_document_that_is_not_json_is_refused_with_its_position(
    document: str, message: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        body_encodings["json"]().parse(document)
    assert caught.value.field == "body.document"
    assert message in caught.value.message


@pytest.mark.parametrize(
    "template", ["{{ '1e400' | plus: 0 }}", "{{ huge | plus: 0 }}", "{{ half }}"]
)
def test_a_value_that_json_cannot_represent_is_never_sent(template: str) -> None:
    with pytest.raises(BuildError):
        body("json", json.dumps([template]), huge=10**5000, half="\ud800")
