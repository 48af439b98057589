"""Tests of the URL-encoded body encoding."""

from urllib.parse import parse_qsl

import pytest

from connections.core.errors import BuildError, DescriptionError
from connections.core.request.bodies import body_encodings
from connections.core.values import ExactNumber
from tests.connections.core.factories import body


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("Jo", b"Jo"),
        ("a b", b"a+b"),
        ("+1732", b"%2B1732"),
        ("a&b=c;d", b"a%26b%3Dc%3Bd"),
        ("\"'<>", b"%22%27%3C%3E"),
        ("100%", b"100%25"),
        ("two\r\nlines", b"two%0D%0Alines"),
        ("é🎉", b"%C3%A9%F0%9F%8E%89"),
        ("ש", b"%D7%A9"),
        ("01234", b"01234"),
        ("jo@x.y", b"jo%40x.y"),
        ("{{ x }}", b"%7B%7B+x+%7D%7D"),
        (2581697744617019994, b"2581697744617019994"),
        (ExactNumber("2.50"), b"2.50"),
        (True, b"true"),
        (False, b"false"),
        (0, b"0"),
        (["a", "b"], b"a%2C+b"),
    ],
)
@pytest.mark.parametrize("document", ["x={{ value }}\n", "x={{ value }}&y=1"])
def test_a_value_is_percent_encoded(document: str, value: object, sent: bytes) -> None:
    rest = b"&y=1" if "&" in document else b""
    assert body("urlencoded", document, value=value) == b"x=" + sent + rest


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        ("a=1\nb=2\n", b"a=1&b=2"),
        ("a=1\r\n\r\n b = 2 \r\n", b"a=1&b=2"),
        ("a=1&b=2", b"a=1&b=2"),
        ("&a=1&b=2&", b"a=1&b=2"),
        ("tag=x\ntag=y\ntag=x", b"tag=x&tag=y&tag=x"),
        ("tag=x&tag=y", b"tag=x&tag=y"),
        ("contact.email=x\ncontact[name][]=y", b"contact.email=x&contact%5Bname%5D%5B%5D=y"),
        ("contact%5Bname%5D=y&a=1", b"contact%5Bname%5D=y&a=1"),
        ("first name=x", b"first+name=x"),
        ("a=b=c", b"a=b%3Dc"),
        ("a=%20&b=x+y", b"a=+&b=x+y"),
        ("a=%20\nb=x+y", b"a=%2520&b=x%2By"),
        ("a=x & y", b"a=x+%26+y"),
        ("a=\nb=1", b"a=&b=1"),
        ("a={{ v | replace: '&', '=' }}&b=2", b"a=1&b=2"),
        ("a={% if v == '1' %}yes{% endif %}&b=2", b"a=yes&b=2"),
        ("a={{ v }}-{{ v }}&b=%2B{{ v }}", b"a=1-1&b=%2B1"),
    ],
)
def test_a_form_is_read_as_lines_and_as_a_query_string(document: str, sent: bytes) -> None:
    assert body("urlencoded", document, v="1") == sent


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize(
    ("empty", "sent"), [("omit", b"a=&d=1"), ("empty", b"a=&b=&c=&d=1"), ("null", b"a=&b=&c=&d=1")]
)
def test_empty_values_are_left_out_and_fields_written_empty_are_kept(
    empty: str, sent: bytes, value: str | None
) -> None:
    document = "a=\nb={{ x }}\nc={{ missing | md5 }}\nd=1"
    assert body("urlencoded", document, empty, x=value) == sent


def test_a_form_decodes_to_its_values() -> None:
    values = {"a": "+ &=%\r\n", "b": "é\u2028🎉", "c": "0"}
    document = "\n".join(f"{name}={{{{ {name} }}}}" for name in values)
    assert dict(parse_qsl(body("urlencoded", document, **values).decode())) == values


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("a=1\nb", "Line 2 is not of the form name=value."),
        ("just text", "Line 1 is not of the form name=value."),
        ("=1", "Line 1 is not of the form name=value."),
        ("{{ a }}=1", 'A placeholder can\'t stand in a name: "{{ a }}".'),
    ],
)
def test_a_document_that_is_not_a_form_is_refused_with_its_line(
    document: str, message: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        body_encodings["urlencoded"]().parse(document)
    assert (caught.value.field, caught.value.message) == ("body.document", message)


def test_a_lone_surrogate_is_never_sent() -> None:
    with pytest.raises(BuildError):
        body("urlencoded", "a={{ v }}", v="\ud800")
