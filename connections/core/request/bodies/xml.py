"""The XML encoding: texts and attribute values may hold placeholders."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

from lxml import etree

from connections.core.errors import BuildError, DescriptionError
from connections.core.request.bodies.base import (
    DOCUMENT_FIELD,
    BodyEncoding,
    Document,
    EmptyValues,
    body_encodings,
)
from connections.core.request.templates import Scope, Template
from connections.core.xml_parser import parse_xml

_TEXT, _TAIL = "text", "tail"
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A template in the document and its place: an element's text, tail or attribute.

    `element` is the element's index in document order.
    """

    element: int
    place: str
    attribute: str | None
    is_cdata: bool
    template: Template


class XmlDocument(Document):
    """A parsed XML document; texts and attribute values with placeholders are leaves."""

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
                _remove_if_empty(elements[leaf.element], leaf)
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
    try:
        root = parse_xml(document.strip("\ufeff \t\r\n").encode(), strip_cdata=False)
    except etree.XMLSyntaxError as error:
        raise DescriptionError(DOCUMENT_FIELD, f"Not valid XML: {error.msg}.") from error
    tree: Any = root.getroottree()
    if tree.docinfo.doctype:
        raise DescriptionError(
            DOCUMENT_FIELD, "A document type declaration (<!DOCTYPE …>) is not allowed."
        )
    return root


def _find_leaves(root: etree._Element) -> Iterator[_Leaf]:
    for index, element in enumerate(root.iter()):
        if isinstance(element.tag, str):
            yield from _find_leaves_of(index, element)
        if element.tail and "{" in element.tail:
            yield from _leaf(index, _TAIL, element.tail)


def _find_leaves_of(index: int, element: etree._Element) -> Iterator[_Leaf]:
    if element.text and "{" in element.text:
        yield from _leaf(index, _TEXT, element.text, is_cdata=_starts_with_cdata(element))
    for name, value in element.attrib.items():
        yield from _leaf(index, "attribute", str(value), attribute=str(name))


def _leaf(
    element: int, place: str, source: str, *, attribute: str | None = None, is_cdata: bool = False
) -> Iterator[_Leaf]:
    template = Template(source, field=DOCUMENT_FIELD)
    if not template.is_constant:
        yield _Leaf(element, place, attribute, is_cdata, template)


def _starts_with_cdata(element: etree._Element) -> bool:
    """Whether the text is a CDATA section, which lxml shows only in the serialized XML."""
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


def _remove_if_empty(element: etree._Element, leaf: _Leaf) -> None:
    parent = element.getparent()
    if leaf.attribute is not None:
        if not element.get(leaf.attribute):
            del element.attrib[leaf.attribute]
    elif leaf.place == _TEXT and parent is not None and _is_blank(element):
        _remove_keeping_tail(element, parent)


def _is_blank(element: etree._Element) -> bool:
    return len(element) == 0 and not (element.text or "").strip()


def _remove_keeping_tail(element: etree._Element, parent: etree._Element) -> None:
    """Remove an element, but keep the text after it, which lxml stores as the element's tail."""
    tail = element.tail or ""
    previous = element.getprevious()
    if previous is not None:
        previous.tail = (previous.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)
