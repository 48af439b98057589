"""Properties of the requests that are built from every value and template."""

import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connections.core.errors import BuildError, DescriptionError
from connections.core.request.templates import _TEXT, Scope, Template
from connections.core.values import ExactNumber, to_text
from tests.connections.core.factories import body, build
from tests.connections.core.properties.strategies import (
    documents,
    many_examples,
    texts,
    values,
)


@many_examples
@given(values, values)
def test_a_json_body_holds_its_values(first: object, second: object) -> None:
    document = '{"lone": "{{ a }}", "among": ["<{{ b }}>"], "q\\"": "{{ a }}"}'
    sent = json.loads(body("json", document, a=first, b=second), parse_float=Decimal)
    held = Decimal(str(first)) if isinstance(first, ExactNumber) else first
    assert sent == {"lone": held, "among": [f"<{to_text(second)}>"], 'q"': held}


@many_examples
@given(values)
def test_an_xml_body_holds_its_values(value: object) -> None:
    document = "<a b='{{ v }}'><c>{{ v }}</c><d><![CDATA[{{ v }}]]></d><e/>{{ v }}</a>"
    root = etree.fromstring(body("xml", document, "empty", v=value))
    texts_found = [root.get("b"), root[0].text, root[1].text, root[2].tail]
    assert texts_found == [to_text(value)] * 4


@many_examples
@given(values, values)
def test_a_form_decodes_to_its_values(first: object, second: object) -> None:
    for document in ("a={{ a }}\nb[0].c={{ b }}\na=x", "a={{ a }}&b[0].c={{ b }}&a=x"):
        sent = body("urlencoded", document, "empty", a=first, b=second)
        decoded = parse_qsl(sent.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        assert decoded == [("a", to_text(first)), ("b[0].c", to_text(second)), ("a", "x")]


@many_examples
@given(values)
def test_a_text_body_holds_its_value(value: object) -> None:
    assert body("text", "<{{ v }}>", v=value) == f"<{to_text(value)}>".encode()


@many_examples
@given(st.text(max_size=12) | values, st.text(max_size=12) | values)
def test_no_header_is_ever_split(first: object, second: object) -> None:
    try:
        request = build(
            {"a": first, "b": second},
            headers={"X-A": "{{ a }}", "X-B": "b {{ b | append: a }}"},
            endpoints={"production": "https://crm.example/{{ a }}"},
        )
    except BuildError:
        return
    for name, value in request.headers:
        assert not set("\r\n\0") & {*name, *value}


@many_examples
@given(st.text(max_size=12) | values, texts)
def test_the_structure_of_a_url_never_changes(first: object, second: str) -> None:
    endpoint = "https://crm.example:8443/a/{{ x }}/{{ y | upcase }}?p={{ x }}&q={{ y | json }}"
    try:
        url = build({"x": first, "y": second}, endpoints={"production": endpoint}).url
    except BuildError:
        return
    parts = urlsplit(url)
    assert url.isascii()
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "crm.example:8443", "")
    segments = parts.path.split("/")
    assert (len(segments), segments[:2]) == (4, ["", "a"])
    assert unquote(segments[2]) == to_text(first)
    query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    assert [name for name, _ in query] == ["p", "q"]
    assert query[0][1] == to_text(first)


@many_examples
@given(values)
def test_a_filter_sees_the_text_that_a_body_sends(value: object) -> None:
    written = body("json", '["{{ v | append: tail }}"]', v=value, tail="")
    assert json.loads(written) == [to_text(value)]


@many_examples
@given(documents, st.sampled_from(["json", "xml", "urlencoded", "text"]))
def test_a_document_raises_only_documented_errors(document: str, encoding: str) -> None:
    wrapped = {"json": json.dumps([document]), "xml": f"<a b='1'>{document}</a>"}
    for text in (document, wrapped.get(encoding, document)):
        with suppress(DescriptionError, BuildError):
            body(encoding, text, email='a"<b', age=25)


@many_examples
@given(documents)
def test_an_endpoint_or_a_header_raises_only_documented_errors(text: str) -> None:
    for fields in (
        {"endpoints": {"production": text}},
        {"endpoints": {"production": f"https://crm.example{text}"}},
        {"headers": {"X-A": text}},
        {"headers": {text: "a"}},
        {"idempotency_header": text},
    ):
        with suppress(DescriptionError, BuildError):
            build({"email": "a", "age": 25}, **fields)


def render_errors(template: Template, scope: Scope) -> Iterator[str]:
    """Yield the errors of both ways to render."""
    for render in (template.render, template.value):
        try:
            render(scope)
        except BuildError as error:
            yield str(error)


@pytest.mark.parametrize("name", sorted(_TEXT.filters))
def test_a_filter_raises_nothing_but_build_errors_and_quotes_no_value(name: str) -> None:
    personal = {"text": "Jo@secret.x", "items": ["a", "Jo@secret.x"], "long": "9" * 5_000}
    others = {"number": 25, "price": ExactNumber("2.50"), "flag": True, "nothing": None}
    scope = Scope({**personal, **others})
    arguments = ["", ": text", ": number", ": nothing", ": flag", ": text, text", ": number, -1"]
    errors = [
        error
        for operand in (*scope.values, "missing")
        for argument in arguments
        for error in render_errors(Template(f"{{{{ {operand} | {name}{argument} }}}}"), scope)
    ]
    assert not any("secret" in error for error in errors)
