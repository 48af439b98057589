"""The body encodings, one class per file; importing this package registers all of them."""

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
