"""Tests of the registries."""

import csv
import io
from dataclasses import dataclass
from typing import ClassVar

import pytest

from connections.core.errors import DescriptionError
from connections.core.messages import Request
from connections.core.registry import Kind, Registry, Setting, setting
from connections.core.request.authorization import (
    Authorization,
    Flow,
    SigningContext,
    authorizations,
)
from connections.core.request.authorization.base import with_header
from connections.core.request.bodies import BodyEncoding, Document, EmptyValues, body_encodings
from connections.core.request.templates import Scope, Template
from connections.core.response.extractors import Extractor, Found, extractors, to_found_text
from connections.core.response.operators import Comparison, Predicate, operator, operators
from connections.core.response.parsed import ParsedResponse
from tests.connections.core.factories import body, build, exchange, header, outcome, rule


@pytest.fixture
def restored_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo the registrations of the test."""
    registry: Registry[type]
    for registry in (authorizations, body_encodings, extractors, operators):
        monkeypatch.setattr(registry, "_members", dict(registry._members))


def test_a_body_encoding_is_added_by_one_class(restored_registries: None) -> None:
    class CsvDocument(Document):
        def __init__(self, document: str) -> None:
            self.templates = tuple(Template(cell) for cell in document.split(","))

        def render(self, scope: Scope, empty_values: EmptyValues) -> bytes:  # noqa: ARG002
            line = io.StringIO()
            csv.writer(line).writerow(template.render(scope) for template in self.templates)
            return line.getvalue().encode()

    @body_encodings.register("csv")
    @dataclass(frozen=True, kw_only=True)
    class Csv(BodyEncoding):
        kind: ClassVar[str] = "csv"
        label: ClassVar[str] = "Comma-separated values"
        content_type: ClassVar[str] = "text/csv"

        def parse(self, document: str) -> CsvDocument:
            return CsvDocument(document)

    request = build({"name": 'Jo "x", y'}, encoding="csv", document="1,{{ name }}")
    assert request.body == b'1,"Jo ""x"", y"\r\n'
    assert header(request, "Content-Type") == "text/csv"
    assert ("csv", "Comma-separated values") in [(kind.kind, kind.label) for kind in body_encodings]


def test_an_authorization_is_added_by_one_class(restored_registries: None) -> None:
    @authorizations.register("two_keys")
    @dataclass(frozen=True, kw_only=True)
    class TwoKeys(Authorization):
        kind: ClassVar[str] = "two_keys"
        label: ClassVar[str] = "Two keys"

        account: str = setting("Account", required=True)
        key: str = setting("Key", secret=True, required=True, help="Ask the CRM.")
        style: str = setting("Style", choices=(("a", "A"), ("b", "B")), default="a")

        def flow(self, request: Request, context: SigningContext) -> Flow:  # noqa: ARG002
            yield with_header(request, "X-Keys", f"{self.account}/{self.key}/{self.style}")

    authorization = authorizations["two_keys"].from_settings({"account": "acme", "key": "s3cret"})
    request = build(authorization=authorization)
    assert header(request, "X-Keys") == "acme/s3cret/a"
    assert header(request.masked(), "X-Keys") == "acme/••••/a"
    assert "s3cret" not in repr(authorization)
    assert authorization.to_settings() == {"account": "acme", "key": "s3cret"}
    assert authorization.settings() == (
        Setting(
            name="account",
            label="Account",
            help="",
            is_secret=False,
            is_required=True,
            choices=(),
            default="",
        ),
        Setting(
            name="key",
            label="Key",
            help="Ask the CRM.",
            is_secret=True,
            is_required=True,
            choices=(),
            default="",
        ),
        Setting(
            name="style",
            label="Style",
            help="",
            is_secret=False,
            is_required=False,
            choices=(("a", "A"), ("b", "B")),
            default="a",
        ),
    )
    assert [kind.kind for kind in authorizations][-1] == "two_keys"


def test_an_extractor_and_an_operator_are_added_by_a_class_and_a_function(
    restored_registries: None,
) -> None:
    @extractors.register("length")
    class Length(Extractor):
        label = "the body's length"
        needs_path = False

        def extract(self, parsed: ParsedResponse) -> Found:
            return [len(parsed.text)]

    @operator("more_than", "is more than")
    def more_than(comparison: Comparison) -> Predicate:
        minimum = int(comparison.values[0])
        return lambda found: any(int(to_found_text(value)) > minimum for value in found)

    long_body = rule("rejected", where="length", operator="more_than", value="3")
    assert outcome([long_body], 200, "abcd") == "rejected"
    assert outcome([long_body], 200, "abc") == "delivered"
    assert long_body.explain(ParsedResponse(exchange(200, "abcd").response)) == (  # type: ignore[arg-type]
        'Found "4" in the body\'s length, which matches.'
    )
    assert ("length", "the body's length") in [
        (name, extractor.label) for name, extractor in extractors.items()
    ]
    assert ("more_than", "is more than") in [
        (name, operator.label) for name, operator in operators.items()
    ]


def test_registrations_of_a_test_are_undone() -> None:
    for registry, name in (
        (authorizations, "two_keys"),
        (body_encodings, "csv"),
        (extractors, "length"),
        (operators, "more_than"),
    ):
        assert name not in registry


def test_a_name_is_registered_once() -> None:
    registry: Registry[type] = Registry("field", "thing")
    registry.register("a")(int)
    with pytest.raises(LookupError, match="The thing 'a' is registered twice"):
        registry.register("a")(str)
    assert registry["a"] is int


@dataclass(frozen=True, kw_only=True)
class Fruit(Kind):
    kind: ClassVar[str] = "fruit"
    label: ClassVar[str] = "Fruit"

    colour: str = setting("Colour", required=True, choices=(("red", "Red"), ("green", "Green")))
    pin: str = setting("PIN", secret=True, required=True)
    origin: str = setting("Origin", default="here")


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"color": "red"}, "color", '"fruit" has no such setting. Did you mean "colour"?'),
        ({"zzz": "red"}, "zzz", '"fruit" has no such setting.'),
        ({}, "colour", "Colour is needed."),
        ({"colour": ""}, "colour", "Colour is needed."),
        ({"colour": "blue"}, "colour", "Must be one of red, green."),
        ({"colour": 5}, "colour", "Must be text, not int."),
    ],
)
def test_an_invalid_setting_is_named(values: dict[str, str], field: str, message: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        Fruit.from_settings(values)
    assert (caught.value.field, caught.value.message) == (field, message)


def test_a_required_secret_may_be_missing() -> None:
    fruit = Fruit.from_settings({"colour": "red"})
    assert fruit.secrets() == {}
    assert fruit.to_settings() == {"colour": "red"}
    assert Fruit.from_settings({"colour": "red", "pin": "1", "origin": "there"}).to_settings() == {
        "colour": "red",
        "pin": "1",
        "origin": "there",
    }


def test_every_kind_declares_its_label_help_and_text_settings() -> None:
    for kind in (*authorizations, *body_encodings):
        assert (kind.label, kind.help) != ("", "")
        assert all(field.label and isinstance(field.default, str) for field in kind.settings())


def test_a_body_encoding_renders_its_document() -> None:
    assert body("text", "x{{ a }}", a=1) == b"x1"
