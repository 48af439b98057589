"""The URL encoding: fields one per line, or pasted as `a=b&c=d`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote_plus, unquote_plus

from connections.core.errors import DescriptionError
from connections.core.request.bodies.base import (
    DOCUMENT_FIELD,
    BodyEncoding,
    Document,
    EmptyValues,
    body_encodings,
)
from connections.core.request.templates import Scope, Template, has_placeholder

_PLACEHOLDER = re.compile(r"(\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z))", re.DOTALL)
"""A placeholder or tag; an unclosed one reaches to the end, and its template is refused."""


class FormDocument(Document):
    """Names with templates; names may repeat and may hold dots and brackets."""

    def __init__(self, document: str) -> None:
        pairs = _parse_pasted(document) or _parse_lines(document)
        self._fields = [
            (_encode_name(name), Template(value, field=DOCUMENT_FIELD)) for name, value in pairs
        ]
        self.templates = tuple(template for _, template in self._fields)

    def render(self, scope: Scope, empty_values: EmptyValues) -> bytes:
        omit = empty_values is EmptyValues.OMIT
        parts = []
        for name, template in self._fields:
            value = template.render(scope)
            # A constant `name=` is deliberate: some CRMs need the empty field.
            if value or not omit or template.is_constant:
                parts.append(f"{name}={quote_plus(value)}")
        return "&".join(parts).encode()


@body_encodings.register("urlencoded")
@dataclass(frozen=True, kw_only=True)
class UrlEncoded(BodyEncoding):
    kind: ClassVar[str] = "urlencoded"
    label: ClassVar[str] = "URL encoded"
    help: ClassVar[str] = (
        "One name=value on each line, or a pasted a=b&c=d. With GET it becomes the query string."
    )
    content_type: ClassVar[str] = "application/x-www-form-urlencoded"
    becomes_query: ClassVar[bool] = True

    def parse(self, document: str) -> FormDocument:
        return FormDocument(document)


def _encode_name(name: str) -> str:
    if has_placeholder(name):
        raise DescriptionError(DOCUMENT_FIELD, f'A placeholder can\'t stand in a name: "{name}".')
    return quote_plus(name)


def _parse_pasted(document: str) -> list[tuple[str, str]] | None:
    """Return the decoded fields of `a=b&c=d`, or None if the document has another form."""
    text = document.strip()
    pieces = [piece for piece in _split_outside_placeholders(text) if piece]
    if "\n" in text or len(pieces) < 2 or not all("=" in piece for piece in pieces):
        return None
    pairs = (piece.split("=", 1) for piece in pieces)
    return [(unquote_plus(name), _unquote_outside_placeholders(value)) for name, value in pairs]


def _parse_lines(document: str) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(document.splitlines(), start=1):
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise DescriptionError(DOCUMENT_FIELD, f"Line {number} is not of the form name=value.")
        pairs.append((name.strip(), value.strip()))
    return pairs


def _split_outside_placeholders(text: str) -> list[str]:
    pieces = [""]
    for part in _PLACEHOLDER.split(text):
        if _PLACEHOLDER.fullmatch(part):
            pieces[-1] += part
        else:
            first, *rest = part.split("&")
            pieces[-1] += first
            pieces.extend(rest)
    return pieces


def _unquote_outside_placeholders(text: str) -> str:
    parts = _PLACEHOLDER.split(text)
    return "".join(part if _PLACEHOLDER.fullmatch(part) else unquote_plus(part) for part in parts)
