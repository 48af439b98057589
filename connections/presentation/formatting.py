"""Bodies as people like to read them; changes nothing but the space between their parts.

Must not know where a body comes from, nor how it is coloured.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from urllib.parse import parse_qsl

from lxml import etree

_JSON_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_INDENT = "  "
_OPENERS = ("{", "[", ",")
_FORM = re.compile(r"[^\s=&]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*")
_BYTES_A_LINE = 16


class Language(StrEnum):
    """What a body is written in."""

    JSON = "json"
    XML = "xml"
    HTML = "html"
    FORM = "form"
    TEXT = "text"


def language_of(text: str, content_type: str = "") -> Language:
    """What the body is written in, whatever its content type says: CRMs often say it wrongly."""
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
    """The body with line breaks and indentation, or as it is where that can't be done safely."""
    if language is Language.JSON:
        return indent_json(text)
    if language is Language.XML:
        return _indent_xml(text)
    if language is Language.FORM:
        pairs = parse_qsl(text.strip(), keep_blank_values=True)
        return "\n".join(f"{name}={value}" for name, value in pairs)
    return text


def indent_json(text: str) -> str:
    """JSON with one member on each line; every name, text and number keeps its own characters."""
    written, depth, previous = [], 0, ""
    for piece in _JSON_PIECE.findall(text):
        is_closing = piece in ("}", "]")
        depth -= is_closing
        opens_line = previous not in ("{", "[") if is_closing else previous in _OPENERS
        written.append(f"\n{_INDENT * depth}" if opens_line else "")
        written.append(": " if piece == ":" else piece)
        depth += piece in ("{", "[")
        previous = piece
    return "".join(written)


def raw_text(content: bytes) -> str:
    """The bytes as they are: as text where they are UTF-8, else as hexadecimal numbers."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return "\n".join(_hex_lines(content))


def _hex_lines(content: bytes) -> list[str]:
    starts = range(0, len(content), _BYTES_A_LINE)
    rows = [(start, content[start : start + _BYTES_A_LINE]) for start in starts]
    return [f"{start:06x}  {row.hex(' '):<47}  {_printable(row)}" for start, row in rows]


def _printable(row: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _indent_xml(text: str) -> str:
    parser = etree.XMLParser(
        remove_blank_text=True, resolve_entities=False, no_network=True, strip_cdata=False
    )
    try:
        root = etree.fromstring(text.strip().encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return text
    declaration = re.match(r"\s*<\?xml[^>]*\?>", text)
    start = f"{declaration[0].strip()}\n" if declaration else ""
    return start + etree.tostring(root.getroottree(), encoding="unicode", pretty_print=True).strip()
