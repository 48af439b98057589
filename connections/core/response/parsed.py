"""One answer of a CRM, parsed as far as a rule asks for it; must not know rules or outcomes.

Nothing here raises for anything that a CRM may send: what can't be read says why instead.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml import etree

from connections.core.messages import Response
from connections.core.values import ExactNumber

_MAX_INTEGER_DIGITS = 4_000
"""Digits; Python refuses to read more of them as an integer."""

_BARE_AMPERSAND = re.compile(r"&(?!(?:\w+|#\d+|#x[0-9A-Fa-f]+);)")
_PROLOG = re.compile(r"(?:<!--.*?-->\s*|<!(?!--)[^>]*>\s*)*", re.DOTALL)
"""Comments and declarations. What begins a comment is nothing else: where it never ends, the end
of the answer would be looked for again after each `<!--`."""


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """Why a part of an answer can't be looked at, as the end of a sentence."""

    why: str


class ParsedResponse:
    """A response with its body as text, as JSON and as XML, each parsed once and only if asked."""

    def __init__(self, response: Response) -> None:
        self.response = response

    @cached_property
    def text(self) -> str:
        """The whole body as text."""
        return self.response.text()

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - any JSON, or Unreadable.
        """The body as JSON, whatever its content type says, or Unreadable."""
        if not self.text.strip():
            return ParseFailure("the body is empty")
        try:
            return json.loads(
                self.text,
                parse_float=ExactNumber,
                parse_int=_integer,
                parse_constant=_refuse_constant,
            )
        except RecursionError:
            return ParseFailure("the body is JSON that is nested too deeply")
        except ValueError:
            return ParseFailure("the body is not JSON")

    @cached_property
    def xml(self) -> etree._Element | ParseFailure:
        """The body as XML with all namespaces taken off, or Unreadable."""
        content = self._xml_text()
        if not content.startswith("<"):
            return ParseFailure("the body is not XML")
        root = _parse_xml(content)
        return ParseFailure("the body is not well-formed XML") if root is None else root

    def _xml_text(self) -> str:
        # The text is decoded already, so an encoding that a declaration names no longer holds.
        text = self.text.strip("\0 \t\r\n")
        return re.sub(r"^<\?xml[^>]*\?>\s*", "", text)


def _integer(digits: str) -> int | ExactNumber:
    return int(digits) if len(digits) < _MAX_INTEGER_DIGITS else ExactNumber(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _parse_xml(content: str) -> etree._Element | None:
    root = _parse_exactly(content, recover=False)
    # A bare & in a text is common and harmless, a document that breaks off is not: what was lost
    # could have been the verdict. So errors are forgiven only where the end is there.
    if root is None and _ends_with_its_root(content):
        root = _parse_exactly(_BARE_AMPERSAND.sub("&amp;", content), recover=True)
    return None if root is None else _without_namespaces(root)


def _parse_exactly(content: str, *, recover: bool) -> etree._Element | None:
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, recover=recover
    )
    try:
        return etree.fromstring(content.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _ends_with_its_root(content: str) -> bool:
    prolog = _PROLOG.match(content)
    root = re.compile(r"<([\w.:-]+)").match(content, prolog.end() if prolog else 0)
    return root is not None and content.endswith(f"</{root[1]}>")


def _without_namespaces(root: etree._Element) -> etree._Element:
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = _local_name(element.tag)
            for name in [str(name) for name in element.attrib]:
                element.attrib[_local_name(name)] = element.attrib.pop(name)
    return root


def _local_name(name: str) -> str:
    """`{urn:x}a` as `a`, and `x:a` as well, which is how a prefix without namespace is read."""
    return re.split("[}:]", name)[-1]
