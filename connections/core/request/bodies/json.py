"""The JSON encoding: a placeholder alone in a text keeps its attribute's type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from connections.core.errors import BuildError, DescriptionError
from connections.core.request.bodies.base import (
    DOCUMENT_FIELD,
    BodyEncoding,
    Document,
    EmptyValues,
    body_encodings,
    is_empty,
)
from connections.core.request.templates import Scope, Template, has_placeholder
from connections.core.values import ExactNumber, to_json

_SEPARATOR = ", "

_MAX_DEPTH = 64
"""Levels of a document; rendering takes several Python stack frames for each."""


class _TemplateNode:
    """A text with placeholders; a lone placeholder keeps its attribute's type."""

    def __init__(self, source: str) -> None:
        self.template = Template(source, field=DOCUMENT_FIELD)

    def templates(self) -> Iterator[Template]:
        yield self.template

    def render(self, scope: Scope, empty_values: EmptyValues) -> str | None:
        value = self.template.value(scope)
        if is_empty(value):
            return _EMPTY[empty_values]
        try:
            return to_json(value)
        except ValueError as error:
            raise self.template.to_build_error(error) from error


_EMPTY = {EmptyValues.OMIT: None, EmptyValues.EMPTY: '""', EmptyValues.NULL: "null"}


class _ConstantNode:
    """A value without placeholders, encoded once."""

    def __init__(self, value: object) -> None:
        self._text = to_json(value)

    def templates(self) -> Iterator[Template]:
        yield from ()

    def render(self, scope: Scope, empty_values: EmptyValues) -> str:  # noqa: ARG002
        return self._text


class _ArrayNode:
    """An array; elements that are left out take no place."""

    def __init__(self, items: list[Any], depth: int) -> None:
        self._items = [_parse_node(item, depth) for item in items]

    def templates(self) -> Iterator[Template]:
        for item in self._items:
            yield from item.templates()

    def render(self, scope: Scope, empty_values: EmptyValues) -> str:
        items = (item.render(scope, empty_values) for item in self._items)
        return f"[{_SEPARATOR.join(item for item in items if item is not None)}]"


class _ObjectNode:
    """An object; members whose values are left out have no name either."""

    def __init__(self, members: dict[str, Any], depth: int) -> None:
        self._members = [
            (to_json(name), _parse_node(value, depth)) for name, value in members.items()
        ]

    def templates(self) -> Iterator[Template]:
        for _, node in self._members:
            yield from node.templates()

    def render(self, scope: Scope, empty_values: EmptyValues) -> str:
        members = ((name, node.render(scope, empty_values)) for name, node in self._members)
        kept = (f"{name}: {text}" for name, text in members if text is not None)
        return f"{{{_SEPARATOR.join(kept)}}}"


_Node = _TemplateNode | _ConstantNode | _ArrayNode | _ObjectNode


class JsonDocument(Document):
    """A parsed JSON document; strings with placeholders are templates, the rest is constant."""

    def __init__(self, document: str) -> None:
        self._root = _parse_node(load_json(document))
        self.templates = tuple(self._root.templates())

    def render(self, scope: Scope, empty_values: EmptyValues) -> bytes:
        text = self._root.render(scope, empty_values) or ""
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise BuildError("A value holds half of a character, which JSON can't.") from error


@body_encodings.register("json")
@dataclass(frozen=True, kw_only=True)
class Json(BodyEncoding):
    kind: ClassVar[str] = "json"
    label: ClassVar[str] = "JSON"
    help: ClassVar[str] = (
        "Paste the sample from the CRM's documentation and put placeholders in the texts: "
        'a text that is exactly "{{ age }}" is sent as the number it is.'
    )
    content_type: ClassVar[str] = "application/json"

    def parse(self, document: str) -> JsonDocument:
        return JsonDocument(document)


def _parse_node(value: Any, depth: int = 0) -> _Node:  # noqa: ANN401 - any JSON.
    if depth > _MAX_DEPTH:
        raise DescriptionError(
            DOCUMENT_FIELD, f"The JSON is nested deeper than {_MAX_DEPTH} levels."
        )
    if isinstance(value, dict):
        return _ObjectNode(value, depth + 1)
    if isinstance(value, list):
        return _ArrayNode(value, depth + 1)
    if isinstance(value, str) and "{" in value:
        node = _TemplateNode(value)
        return _ConstantNode(value) if node.template.is_constant else node
    return _ConstantNode(value)


def load_json(document: str) -> Any:  # noqa: ANN401 - any JSON.
    """Return the parsed JSON, in which numbers keep their digits; raise DescriptionError."""
    text = document.removeprefix("\ufeff")
    try:
        value = json.loads(
            text,
            parse_float=ExactNumber,
            parse_int=ExactNumber,
            parse_constant=_refuse_constant,
            object_pairs_hook=_build_object,
        )
        to_json(value).encode()
    except json.JSONDecodeError as error:
        hint = _hint(text, error.pos)
        message = f"Not valid JSON in line {error.lineno}, column {error.colno}: {error.msg}.{hint}"
        raise DescriptionError(DOCUMENT_FIELD, message) from error
    except RecursionError as error:
        message = f"The JSON is nested deeper than {_MAX_DEPTH} levels."
        raise DescriptionError(DOCUMENT_FIELD, message) from error
    except UnicodeEncodeError as error:
        message = "The JSON holds half of a character; write both halves, as in \\ud83d\\ude00."
        raise DescriptionError(DOCUMENT_FIELD, message) from error
    return value


def _hint(document: str, position: int) -> str:
    before = document[:position]
    if before.rfind("{{") > before.rfind("}}"):
        return " Inside a placeholder, texts stand in single quotes."
    if document[position:].lstrip().startswith("{"):
        return ' A placeholder stands in quotes, as in "{{ age }}"; alone, it keeps its type.'
    return ""


def _refuse_constant(name: str) -> None:
    raise DescriptionError(DOCUMENT_FIELD, f"{name} is not a JSON value.")


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    for name, _ in pairs:
        if has_placeholder(name):
            raise DescriptionError(
                DOCUMENT_FIELD, f'A placeholder can\'t stand in a name: "{name}".'
            )
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        duplicate = next(name for name in names if names.count(name) > 1)
        raise DescriptionError(DOCUMENT_FIELD, f'The JSON names "{duplicate}" twice in one object.')
    return members
