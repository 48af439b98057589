"""The XML encoding; knows where an XML document has leaves and how they are left out."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

from lxml import etree

from connections.core.errors import BuildError, DescriptionError
from connections.core.request.bodies.base import (
    FIELD,
    BodyEncoding,
    Document,
    EmptyValues,
    body_encodings,
)
from connections.core.request.templates import Scope, Template

_TEXT, _TAIL = "text", "tail"
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A template in the document: in which element, and whether in its text, tail or attribute."""

    element: int
    place: str
    attribute: str | None
    is_cdata: bool
    template: Template


class XmlDocument(Document):
    """Any XML; texts and attribute values that hold placeholders are leaves."""

    def __init__(self, document: str) -> None:
        root = _parse(document)
        self._tree = root.getroottree()
        is_declared = document.lstrip("\ufeff \t\r\n").startswith("<?xml")
        self._declaration = _DECLARATION if is_declared else b""
        self._leaves = tuple(_find_leaves(root))
        self.templates = tuple(leaf.template for leaf in self._leaves)

    def render(self, scope: Scope, empty_values: EmptyValues) -> bytes:
        tree = deepcopy(self._tree)
        elements = list(tree.iter())
        for leaf in self._leaves:
            _fill(elements[leaf.element], leaf, leaf.template.render(scope))
        if empty_values is EmptyValues.OMIT:
            for leaf in self._leaves:
                _leave_out_if_empty(elements[leaf.element], leaf)
        return self._declaration + etree.tostring(tree, encoding="UTF-8", xml_declaration=False)


@body_encodings.register("xml")
@dataclass(frozen=True, kw_only=True)
class Xml(BodyEncoding):
    kind: ClassVar[str] = "xml"
    label: ClassVar[str] = "XML"
    help: ClassVar[str] = (
        "Paste the sample from the CRM's documentation, namespaces, CDATA and SOAP envelope "
        "included, and put placeholders in texts and attributes."
    )
    content_type: ClassVar[str] = "application/xml; charset=utf-8"

    def parse(self, document: str) -> XmlDocument:
        return XmlDocument(document)


def _parse(document: str) -> etree._Element:
    # The document is text already, so an encoding that its declaration names is overruled.
    parser = etree.XMLParser(
        encoding="utf-8", strip_cdata=False, resolve_entities=False, no_network=True
    )
    try:
        root = etree.fromstring(document.strip("\ufeff \t\r\n").encode(), parser)
    except etree.XMLSyntaxError as error:
        raise DescriptionError(FIELD, f"Not valid XML: {error.msg}.") from error
    tree: Any = root.getroottree()
    if tree.docinfo.doctype:
        raise DescriptionError(FIELD, "A document type declaration (<!DOCTYPE …>) is not allowed.")
    return root


def _find_leaves(root: etree._Element) -> Iterator[_Leaf]:
    for index, element in enumerate(root.iter()):
        if isinstance(element.tag, str):
            yield from _leaves_of(index, element)
        if element.tail and "{" in element.tail:
            yield from _leaf(index, _TAIL, element.tail)


def _leaves_of(index: int, element: etree._Element) -> Iterator[_Leaf]:
    if element.text and "{" in element.text:
        yield from _leaf(index, _TEXT, element.text, is_cdata=_starts_with_cdata(element))
    for name, value in element.attrib.items():
        yield from _leaf(index, "attribute", str(value), attribute=str(name))


def _leaf(
    element: int, place: str, source: str, *, attribute: str | None = None, is_cdata: bool = False
) -> Iterator[_Leaf]:
    template = Template(source, field=FIELD)
    if not template.is_constant:
        yield _Leaf(element, place, attribute, is_cdata, template)


def _starts_with_cdata(element: etree._Element) -> bool:
    """Whether the text stands in a CDATA section, which lxml keeps but tells only in the bytes."""
    _, _, content = etree.tostring(element, encoding="unicode").partition(">")
    return content.lstrip().startswith("<![CDATA[")


def _fill(element: etree._Element, leaf: _Leaf, value: str) -> None:
    try:
        if leaf.attribute is not None:
            element.set(leaf.attribute, value)
        elif leaf.place == _TAIL:
            element.tail = value
        elif leaf.is_cdata and "]]>" not in value and "\r" not in value:
            element.text = etree.CDATA(value)
        else:
            element.text = value
    except ValueError as error:
        message = (
            f"A value of {leaf.template.source.strip()!r} has a character that XML can't hold."
        )
        raise BuildError(message) from error


def _leave_out_if_empty(element: etree._Element, leaf: _Leaf) -> None:
    parent = element.getparent()
    if leaf.attribute is not None:
        if not element.get(leaf.attribute):
            del element.attrib[leaf.attribute]
    elif leaf.place == _TEXT and parent is not None and _is_blank(element):
        _remove(element, parent)


def _is_blank(element: etree._Element) -> bool:
    return len(element) == 0 and not (element.text or "").strip()


def _remove(element: etree._Element, parent: etree._Element) -> None:
    """Take an element out, but keep the text behind it, which lxml counts as part of it."""
    tail = element.tail or ""
    previous = element.getprevious()
    if previous is not None:
        previous.tail = (previous.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)
