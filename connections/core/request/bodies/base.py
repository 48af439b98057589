"""The base classes and the registry of body encodings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from connections.core.registry import Kind, Registry
from connections.core.request.templates import Scope, Template

DOCUMENT_FIELD = "body.document"
"""The field that errors of a document name."""


class EmptyValues(StrEnum):
    """The output for a placeholder whose value is empty: no member, an empty text, or null."""

    OMIT = "omit"
    EMPTY = "empty"
    NULL = "null"


class Document(ABC):
    """A parsed document whose leaves are templates."""

    templates: tuple[Template, ...]

    @abstractmethod
    def render(self, scope: Scope, empty_values: EmptyValues) -> bytes:
        """Return the body for one referral; raise BuildError if it can't be rendered."""


@dataclass(frozen=True, kw_only=True)
class BodyEncoding(Kind):
    """A way to turn a document with placeholders into bytes."""

    content_type: ClassVar[str]
    becomes_query: ClassVar[bool] = False
    """Whether a method without a body (GET) sends the rendered document in its URL."""

    @abstractmethod
    def parse(self, document: str) -> Document:
        """Return the parsed document; raise DescriptionError for `body.document` if it is wrong."""


body_encodings: Registry[type[BodyEncoding]] = Registry("body.encoding", "body encoding")


def is_empty(value: object) -> bool:
    """Whether a value counts as empty: None or an empty text, but not 0 or false."""
    return value is None or value == ""
