"""Owns that a new kind takes one class or function, and must not know any kind of the product's."""

import csv
import io
from dataclasses import dataclass
from typing import ClassVar

import pytest

from connections.core.errors import DescriptionError
from connections.core.messages import Request
from connections.core.registry import Kind, Registry, Setting, setting
from connections.core.request.authorization import Authorization, Ticket, authorizations
from connections.core.request.authorization.base import with_header
from connections.core.request.bodies import BodyEncoding, Document, EmptyValues, body_encodings
from connections.core.request.templates import Scope, Template
from connections.core.response.extractors import Extractor, Found, extractors, to_found_text
from connections.core.response.operators import Comparison, Test, operator, operators
from connections.core.response.parsed import ParsedResponse
from tests.connections.core.factories import body, build, exchange, header, outcome, rule


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever registers during a test is forgotten behind it."""
    family: Registry[type]
    for family in (authorizations, body_encodings, extractors, operators):
        monkeypatch.setattr(family, "_members", dict(family._members))


def test_a_body_encoding_takes_one_class(families: None) -> None:
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


def test_an_authorization_takes_one_class(families: None) -> None:
    @authorizations.register("two_keys")
    @dataclass(frozen=True, kw_only=True)
    class TwoKeys(Authorization):
        kind: ClassVar[str] = "two_keys"
        label: ClassVar[str] = "Two keys"

        account: str = setting("Account", required=True)
        key: str = setting("Key", secret=True, required=True, help="Ask the CRM.")
        style: str = setting("Style", choices=(("a", "A"), ("b", "B")), default="a")

        def authorize(self, request: Request, ticket: Ticket) -> Request:  # noqa: ARG002
            return with_header(request, "X-Keys", f"{self.account}/{self.key}/{self.style}")

    made = authorizations["two_keys"].from_settings({"account": "acme", "key": "s3cret"})
    request = build(authorization=made)
    assert header(request, "X-Keys") == "acme/s3cret/a"
    assert header(request.masked(), "X-Keys") == "acme/••••/a"
    assert "s3cret" not in repr(made)
    assert made.to_settings() == {"account": "acme", "key": "s3cret"}
    assert made.settings() == (
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


def test_a_place_and_an_operator_take_one_class_and_one_function(families: None) -> None:
    @extractors.register("length")
    class Length(Extractor):
        label = "the body's length"
        needs_path = False

        def find(self, answer: ParsedResponse) -> Found:
            return [len(answer.text)]

    @operator("more_than", "is more than")
    def more_than(comparison: Comparison) -> Test:
        least = int(comparison.values[0])
        return lambda found: any(int(to_found_text(value)) > least for value in found)

    long = rule("rejected", where="length", operator="more_than", value="3")
    assert outcome([long], 200, "abcd") == "rejected"
    assert outcome([long], 200, "abc") == "delivered"
    assert long.explain(ParsedResponse(exchange(200, "abcd").response)) == (  # type: ignore[arg-type]
        'Found "4" in the body\'s length, which matches.'
    )
    assert ("length", "the body's length") in [
        (name, one.label) for name, one in extractors.items()
    ]
    assert ("more_than", "is more than") in [(name, one.label) for name, one in operators.items()]


def test_what_a_test_registers_is_forgotten() -> None:
    for family, name in (
        (authorizations, "two_keys"),
        (body_encodings, "csv"),
        (extractors, "length"),
        (operators, "more_than"),
    ):
        assert name not in family


def test_a_name_is_taken_once() -> None:
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
def test_settings_that_are_wrong_are_named(
    values: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        Fruit.from_settings(values)
    assert (caught.value.field, caught.value.message) == (field, message)


def test_a_secret_may_come_later() -> None:
    fruit = Fruit.from_settings({"colour": "red"})
    assert fruit.secrets() == {}
    assert fruit.to_settings() == {"colour": "red"}
    assert Fruit.from_settings({"colour": "red", "pin": "1", "origin": "there"}).to_settings() == {
        "colour": "red",
        "pin": "1",
        "origin": "there",
    }


def test_all_kinds_of_the_product_declare_texts_with_labels() -> None:
    for kind in (*authorizations, *body_encodings):
        assert (kind.label, kind.help) != ("", "")
        assert all(one.label and isinstance(one.default, str) for one in kind.settings())


def test_rendering_is_the_encodings_own_business() -> None:
    assert body("text", "x{{ a }}", a=1) == b"x1"
