"""Format bodies for people: only the whitespace between their parts changes."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from urllib.parse import parse_qsl

from lxml import etree

from connections.core.xml_parser import parse_xml

_JSON_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_INDENT = "  "
_LINE_ENDS = ("{", "[", ",")
_FORM = re.compile(r"[^\s=&]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*")
_BYTES_PER_LINE = 16


class Language(StrEnum):
    """The language of a body."""

    JSON = "json"
    XML = "xml"
    HTML = "html"
    FORM = "form"
    TEXT = "text"


def detect_language(text: str, content_type: str = "") -> Language:
    """Return the language found in the text itself: CRMs often send a wrong content type."""
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and _is_json(stripped):
        return Language.JSON
    if stripped.startswith("<"):
        is_page = re.match(r"<!doctype html|<html", stripped, re.IGNORECASE)
        return Language.HTML if is_page or "html" in content_type else Language.XML
    if "urlencoded" in content_type and _FORM.fullmatch(stripped):
        return Language.FORM
    return Language.TEXT


def prettify(text: str, language: Language) -> str:
    """Return the text with line breaks and indentation, or unchanged if it can't be parsed."""
    if language is Language.JSON:
        return indent_json(text)
    if language is Language.XML:
        return _indent_xml(text)
    if language is Language.FORM:
        pairs = parse_qsl(text.strip(), keep_blank_values=True)
        return "\n".join(f"{name}={value}" for name, value in pairs)
    return text


def indent_json(text: str) -> str:
    """Return JSON with one member per line; names, texts and numbers keep their characters."""
    parts, depth, previous = [], 0, ""
    for piece in _JSON_PIECE.findall(text):
        is_closing = piece in ("}", "]")
        depth -= is_closing
        starts_line = previous not in ("{", "[") if is_closing else previous in _LINE_ENDS
        parts.append(f"\n{_INDENT * depth}" if starts_line else "")
        parts.append(": " if piece == ":" else piece)
        depth += piece in ("{", "[")
        previous = piece
    return "".join(parts)


def raw_text(content: bytes) -> str:
    """Return the bytes unchanged: as text if they are UTF-8, otherwise as hexadecimal."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return hex_dump(content)
    return hex_dump(content) if "\0" in text else text


def hex_dump(content: bytes) -> str:
    """Return the bytes as hexadecimal, sixteen per line, with the ASCII characters beside them."""
    starts = range(0, len(content), _BYTES_PER_LINE)
    rows = [(start, content[start : start + _BYTES_PER_LINE]) for start in starts]
    return "\n".join(f"{start:06x}  {row.hex(' '):<47}  {_printable(row)}" for start, row in rows)


def _printable(row: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _indent_xml(text: str) -> str:
    try:
        root = parse_xml(text.strip().encode(), strip_cdata=False, remove_blank_text=True)
    except (etree.XMLSyntaxError, ValueError):
        return text
    declaration = re.match(r"\s*<\?xml[^>]*\?>", text)
    start = f"{declaration[0].strip()}\n" if declaration else ""
    return start + etree.tostring(root.getroottree(), encoding="unicode", pretty_print=True).strip()
