"""What a body encoding is; must not know any particular one, nor where the body goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from connections.core.registry import Kind, Registry
from connections.core.request.templates import Scope, Template

FIELD = "body.document"


class EmptyValues(StrEnum):
    """What happens to a placeholder's place when its value is empty."""

    OMIT = "omit"
    EMPTY = "empty"
    NULL = "null"


class Document(ABC):
    """A document parsed once, whose leaves are templates."""

    templates: tuple[Template, ...]

    @abstractmethod
    def render(self, scope: Scope, empty_values: EmptyValues) -> bytes:
        """The body for one referral; raises BuildError."""


@dataclass(frozen=True, kw_only=True)
class BodyEncoding(Kind):
    """How a document with placeholders becomes bytes."""

    content_type: ClassVar[str]
    becomes_query: ClassVar[bool] = False
    """Whether a method without a body (GET) carries the rendered document in its URL."""

    @abstractmethod
    def parse(self, document: str) -> Document:
        """The document, ready to render; raises DescriptionError for `body.document`."""


body_encodings: Registry[type[BodyEncoding]] = Registry("body.encoding", "body encoding")


def is_empty(value: object) -> bool:
    """Whether a value counts as empty: nothing, or a text of no characters; not 0, not false."""
    return value is None or value == ""
