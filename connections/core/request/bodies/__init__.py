"""The body encodings, one class in one file each; importing this package registers them all."""

from connections.core.request.bodies import json, text, urlencoded, xml
from connections.core.request.bodies.base import (
    FIELD,
    BodyEncoding,
    Document,
    EmptyValues,
    body_encodings,
    is_empty,
)

__all__ = [
    "FIELD",
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
