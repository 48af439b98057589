"""The examples in CONTRIBUTING.md work: each is run with its own test."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.conf import settings

from connections.core.connection_check import check_connection
from connections.core.request import filters
from connections.core.request.authorization import authorizations
from connections.core.request.bodies import body_encodings
from connections.core.response.extractors import extractors
from connections.core.response.operators import operators
from connections.forms import make_connection_form
from connections.importers.files import dump_connection, load_connection
from connections.models import choices
from tests.connections.core import factories
from tests.connections.core.response.test_extractors import texts
from tests.connections.core.response.test_operators import holds

BODIES = "connections.core.request.bodies.text"
EXTRACTORS = "connections.core.response.extractors"
FILTERS = "connections.core.request.filters"
OPERATORS = "connections.core.response.operators"
STATIC = "connections.core.request.authorization.static"

Example = Callable[[str, str], None]


def blocks(title: str, language: str) -> list[str]:
    """Return the code blocks of this language under a heading."""
    text = (settings.BASE_DIR / "CONTRIBUTING.md").read_text()
    section = text.partition(f"\n### {title}")[2].partition("\n##")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def run_example(monkeypatch: pytest.MonkeyPatch) -> Example:
    """Return a function that runs the code under a heading in a module, then its test."""
    for family in (authorizations, body_encodings, extractors, operators):
        monkeypatch.setattr(family, "_members", dict(family._members))
    monkeypatch.setattr(filters, "FILTERS", dict(filters.FILTERS))

    def run(title: str, module: str) -> None:
        code, test = blocks(title, "python")
        names = dict(vars(import_module(module)))
        exec(code, names)
        helpers = {"holds": holds, "texts": texts, "filters": SimpleNamespace(**names)}
        names |= vars(factories) | helpers
        exec(test, names)
        [name] = re.findall(r"def (test_\w+)", test)
        names[name]()

    return run


def test_authorization_is_offered_and_has_its_field(run_example: Example) -> None:
    run_example("An authorization", STATIC)
    assert ("cookie", "Cookie") in choices.authorization_choices()
    assert make_connection_form().base_fields["cookie__cookie"].label == "Cookie"


def test_body_encoding_is_offered(run_example: Example) -> None:
    run_example("A body encoding", BODIES)
    assert ("csv_line", "One line of CSV") in choices.encoding_choices()


def test_operator_is_offered(run_example: Example) -> None:
    run_example("An operator", OPERATORS)
    assert ("starts_with", "starts with") in choices.operator_choices()


def test_extractor_is_offered(run_example: Example) -> None:
    run_example("An extractor", EXTRACTORS)
    assert ("line", "a line of the text") in choices.extractor_choices()


def test_filter_is_registered(run_example: Example) -> None:
    run_example("A filter", FILTERS)
    assert "last_four" in filters.FILTERS


def test_preset_classifies_its_responses_as_expected() -> None:
    [preset] = blocks("A preset", "toml")
    check = check_connection(load_connection(preset, lambda _: "a-token"))
    assert [row.expected.value for row in check.responses] == [
        "delivered", "duplicate", "unauthorized", "unavailable",
    ]  # fmt: skip
    assert check.is_good


def test_all_examples_are_loaded_from_one_file(run_example: Example) -> None:
    for title, module in (
        ("An authorization", STATIC),
        ("A body encoding", BODIES),
        ("An operator", OPERATORS),
        ("An extractor", EXTRACTORS),
    ):
        run_example(title, module)
    spec = load_connection(FILE, lambda _: "sid=s3cret")
    assert check_connection(spec).is_good
    dumped = dump_connection(spec)
    assert "s3cret" not in dumped
    assert load_connection(dumped, lambda _: "sid=s3cret") == spec


FILE = """
name = "Example CRM: new lead"

[endpoints]
production = "https://crm.example/leads"

[authorization]
kind = "cookie"
cookie = "env:SESSION"

[body]
encoding = "csv_line"
document = "1,{{ email }}"

[[rules]]
where = "line"
path = "2"
operator = "starts_with"
value = "dup"
outcome = "duplicate"

[[expected_responses]]
name = "Known already"
status = 200
body = "error\\nduplicate of 5"
outcome = "duplicate"
"""
