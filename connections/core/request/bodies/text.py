"""The plain text encoding: the whole document is one template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from connections.core.request.bodies.base import (
    DOCUMENT_FIELD,
    BodyEncoding,
    Document,
    EmptyValues,
    body_encodings,
)
from connections.core.request.templates import Scope, Template


class TextDocument(Document):
    """A plain text; empty values are rendered as empty texts, whatever the setting."""

    def __init__(self, document: str) -> None:
        self._template = Template(document, field=DOCUMENT_FIELD)
        self.templates = (self._template,)

    def render(self, scope: Scope, empty_values: EmptyValues) -> bytes:  # noqa: ARG002 - see above.
        return self._template.render(scope).encode()


@body_encodings.register("text")
@dataclass(frozen=True, kw_only=True)
class PlainText(BodyEncoding):
    kind: ClassVar[str] = "text"
    label: ClassVar[str] = "Plain text"
    help: ClassVar[str] = "The document is sent as it stands, with its placeholders replaced."
    content_type: ClassVar[str] = "text/plain; charset=utf-8"

    def parse(self, document: str) -> TextDocument:
        return TextDocument(document)
