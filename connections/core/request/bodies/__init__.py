"""The body encodings, one class per file; importing this package registers all of them.

Each class registers itself with `@body_encodings.register("name")`.
"""

from connections.core.request.bodies import json, text, urlencoded, xml
from connections.core.request.bodies.base import (
    DOCUMENT_FIELD,
    BodyEncoding,
    Document,
    EmptyValues,
    body_encodings,
    is_empty,
)

__all__ = [
    "DOCUMENT_FIELD",
    "BodyEncoding",
    "Document",
    "EmptyValues",
    "body_encodings",
    "is_empty",
    "json",
    "text",
    "urlencoded",
    "xml",
]
