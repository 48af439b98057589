"""List the values of a pasted body or URL, and replace them by templates.

Each encoding is one class with the same two methods.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote_plus, unquote, unquote_plus

from lxml import etree

from connections.core.errors import BuildError, DescriptionError
from connections.core.formatting import indent_json
from connections.core.request.bodies import EmptyValues, body_encodings
from connections.core.request.bodies.json import load_json
from connections.core.request.templates import Scope
from connections.core.values import to_json
from connections.core.xml_parser import parse_xml
from connections.importers.curl.attribute_matching import EMAIL
from connections.importers.curl.errors import CurlError

Change = Callable[[str, str, str], str | None]
"""From the label, name and value to the template that takes its place, if any."""

Templates = Mapping[str, str]
"""From the label of a value to the template that takes its value's place."""

_NAMING = ("property", "name", "key", "field", "id", "field_name", "fieldname", "attribute")
_VALUES = ("value", "values", "content")


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyValue:
    """One value: `label` says where it stands, `name` is what the CRM calls it."""

    label: str
    name: str
    value: str
    is_text: bool = True


class PastedBody(Protocol):
    """A pasted text that holds values."""

    def values(self) -> list[BodyValue]:
        """Return all values in their order."""

    def with_templates(self, templates: Templates) -> str:
        """Return the text with these templates in place of values."""


class JsonBody:
    """A JSON body; numbers keep their digits, members their order."""

    def __init__(self, text: str) -> None:
        self._root = _parsed_json(text)

    def values(self) -> list[BodyValue]:
        return list(_json_values(self._root, "", ""))

    def with_templates(self, templates: Templates) -> str:
        replaced = _replaced_json(self._root, "", templates)
        return indent_json(to_json(replaced))


class FormBody:
    """A URL-encoded body."""

    def __init__(self, text: str) -> None:
        pairs = (piece.partition("=") for piece in text.strip().split("&") if piece)
        self._pairs = [(unquote_plus(name), _decoded(value)) for name, _, value in pairs]
        self._labels = _numbered([name for name, _ in self._pairs])

    def values(self) -> list[BodyValue]:
        named = zip(self._labels, self._pairs, strict=True)
        return [
            BodyValue(label=label, name=_last_word(pair[0]), value=pair[1]) for label, pair in named
        ]

    def with_templates(self, templates: Templates) -> str:
        chosen = [templates.get(label, "") for label in self._labels]
        pairs = list(zip(self._pairs, chosen, strict=True))
        return (
            "&".join(_encoded(*pair) for pair in pairs)
            if self._needs_encoding()
            else "\n".join(f"{name}={template or value}" for (name, value), template in pairs)
        )

    def _needs_encoding(self) -> bool:
        """Whether one field a line would lose something; raise CurlError where both forms do."""
        lines = "\n".join(f"{name}={value}" for name, value in self._pairs)
        encoded = "&".join(_encoded(pair) for pair in self._pairs)
        for document, is_encoded in ((lines, False), (encoded, True)):
            if _rendered(document) == encoded or "{{" in lines:
                return is_encoded
        raise CurlError(encoded, "This field can't be kept exactly; add a second one.")


class XmlBody:
    """An XML body; what stands between its values stays as it is."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        _check("xml", self._text)

    def values(self) -> list[BodyValue]:
        found: list[BodyValue] = []
        self._visit(
            lambda label, name, value: found.append(BodyValue(label=label, name=name, value=value))
        )
        return found

    def with_templates(self, templates: Templates) -> str:
        tree = self._visit(lambda label, _name, _value: templates.get(label))
        found = re.match(r"<\?xml[^>]*\?>\s*", self._text)
        declaration = found[0] if found else ""
        return f"{declaration}{_xml_text(tree)}"

    def _visit(self, change: Change) -> etree._ElementTree:
        """Return the document with what `change` returns in place of each value, if anything."""
        root = parse_xml(self._text.encode(), strip_cdata=False)
        tree: Any = root.getroottree()
        for element in root.iter():
            if isinstance(element.tag, str):
                label = re.sub(r"\{[^}]*\}", "", tree.getelementpath(element))
                _change_element(element, label, change)
        return tree  # type: ignore[no-any-return] # lxml's stubs lack what is asked of it here.


class TextBody:
    """A body in plain text; only e-mail addresses are told apart in it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def values(self) -> list[BodyValue]:
        found = dict.fromkeys(EMAIL.findall(self._text))
        return [BodyValue(label=address, name="", value=address) for address in found]

    def with_templates(self, templates: Templates) -> str:
        text = self._text
        for address, template in templates.items():
            text = text.replace(address, template or address)
        return text


class UrlQuery:
    """A URL: its query parameters, and parts of its path that hold a person's e-mail address."""

    def __init__(self, url: str) -> None:
        self._path, _, query = url.partition("?")
        self._pieces = [piece for piece in query.split("&") if piece]
        names = [unquote_plus(piece.partition("=")[0]) for piece in self._pieces]
        self._labels = [f"?{name}" for name in _numbered(names)]
        self._dropped: set[str] = set()

    def values(self) -> list[BodyValue]:
        parts = [unquote(part) for part in self._path.split("/")[3:]]
        in_path = [
            BodyValue(label=part, name="", value=part) for part in dict.fromkeys(parts) if part
        ]
        pairs = zip(self._labels, self._pieces, strict=True)
        return in_path + [_query_value(label, piece) for label, piece in pairs]

    def drop(self, label: str) -> None:
        """Leave a query parameter out, because the authorization adds it."""
        self._dropped.add(label)

    def with_templates(self, templates: Templates) -> str:
        start, parts = self._path.split("/")[:3], self._path.split("/")[3:]
        path = "/".join(start + [templates.get(unquote(part)) or part for part in parts])
        pieces = [
            f"{piece.partition('=')[0]}={templates[label]}" if templates.get(label) else piece
            for label, piece in zip(self._labels, self._pieces, strict=True)
            if label not in self._dropped
        ]
        return f"{path}?{'&'.join(pieces)}" if pieces else path


def _change_element(element: etree._Element, label: str, change: Change) -> None:
    attributes = [(str(name), str(value)) for name, value in element.attrib.items()]
    for name, value in attributes:
        template = change(f"{label}/@{name}", name, value)
        if template:
            element.set(name, template)
    text = (element.text or "").strip()
    if text and len(element) == 0:
        name = str(element.get("name") or etree.QName(element).localname)
        element.text = change(label, name, text) or element.text


def _xml_text(tree: etree._ElementTree) -> str:
    written: str = etree.tostring(tree, encoding="unicode")
    return written


def _query_value(label: str, piece: str) -> BodyValue:
    name, _, value = piece.partition("=")
    return BodyValue(label=label, name=_last_word(unquote_plus(name)), value=_decoded(value))


def _json_values(value: Any, label: str, name: str) -> Iterator[BodyValue]:  # noqa: ANN401 - any JSON.
    if isinstance(value, dict):
        called = next((value[key] for key in value if key.lower() in _NAMING), "")
        for key, item in value.items():
            own = called if key.lower() in _VALUES and isinstance(called, str) and called else key
            yield from _json_values(item, f"{label}.{key}" if label else key, own)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _json_values(item, f"{label}[{index}]", name)
    elif value is not None:
        is_text = isinstance(value, str)
        yield BodyValue(
            label=label, name=name, value=value if is_text else to_json(value), is_text=is_text
        )


def _replaced_json(value: Any, label: str, templates: Templates) -> Any:  # noqa: ANN401 - any JSON.
    if isinstance(value, dict):
        return {
            key: _replaced_json(item, f"{label}.{key}" if label else key, templates)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _replaced_json(item, f"{label}[{index}]", templates) for index, item in enumerate(value)
        ]
    return templates.get(label) or value


def _parsed_json(text: str) -> Any:  # noqa: ANN401 - any JSON.
    _check("json", text)
    return load_json(text)


def _check(encoding: str, text: str) -> None:
    """Raise CurlError for a text that the encoding refuses, as it could never be saved."""
    try:
        body_encodings[encoding]().parse(text)
    except DescriptionError as error:
        raise CurlError("The body", error.message) from error


def _numbered(names: list[str]) -> list[str]:
    """Return the names, those that stand several times with their number."""
    return [
        f"{name} ({names[:index].count(name) + 1})" if names.count(name) > 1 else name
        for index, name in enumerate(names)
    ]


def _last_word(name: str) -> str:
    """Return `email` for `contact[email]`, `fields.email` and `properties:email`."""
    words = [word for word in re.split(r"[\[\].:]+", name) if word and not word.isdigit()]
    return words[-1] if words else name


def _decoded(text: str) -> str:
    """Decode a value; a plus before digits stays one, although a server would read a space."""
    return unquote(text) if re.match(r"\+\d", text) else unquote_plus(text)


def _encoded(pair: tuple[str, str], template: str = "") -> str:
    name, value = pair
    return f"{quote_plus(name)}={template or quote_plus(value)}"


def _rendered(document: str) -> str:
    try:
        parsed = body_encodings["urlencoded"]().parse(document)
        return parsed.render(Scope({}), EmptyValues.EMPTY).decode()
    except (DescriptionError, BuildError):
        return ""
