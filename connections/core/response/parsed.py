"""A response that is parsed as far as a rule asks for it.

Nothing here raises for anything that a CRM may send: what can't be parsed says why instead.
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
from connections.core.xml_parser import parse_xml

_MAX_INTEGER_DIGITS = 4_000
"""Python refuses to parse integers of more than 4,300 digits."""

_BARE_AMPERSAND = re.compile(r"&(?!(?:\w+|#\d+|#x[0-9A-Fa-f]+);)")
_PROLOG = re.compile(r"(?:<!--.*?-->\s*|<!(?!--)[^>]*>\s*)*", re.DOTALL)
"""Comments and declarations. A declaration never begins like a comment: with a body of unclosed
comments, the pattern would look for their end again after each `<!--`."""


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """Why nobody can look into a part of a response, as the end of a sentence."""

    why: str


class ParsedResponse:
    """A response with its body as text, JSON and XML; each is parsed once, when first asked for."""

    def __init__(self, response: Response) -> None:
        self.response = response

    @cached_property
    def text(self) -> str:
        """Return the whole body as text."""
        return self.response.text()

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - any JSON, or ParseFailure.
        """Return the body as JSON, whatever its content type says, or ParseFailure."""
        if not self.text.strip():
            return ParseFailure("the body is empty")
        try:
            return json.loads(
                self.text,
                parse_float=ExactNumber,
                parse_int=_parse_integer,
                parse_constant=_refuse_constant,
            )
        except RecursionError:
            return ParseFailure("the body is JSON that is nested too deeply")
        except ValueError:
            return ParseFailure("the body is not JSON")

    @cached_property
    def xml(self) -> etree._Element | ParseFailure:
        """Return the body as XML without its namespaces, or ParseFailure."""
        content = self._xml_text()
        if not content.startswith("<"):
            return ParseFailure("the body is not XML")
        root = _parse_xml(content)
        return ParseFailure("the body is not well-formed XML") if root is None else root

    def _xml_text(self) -> str:
        # The text is decoded already: an encoding that its declaration names no longer holds.
        text = self.text.strip("\0 \t\r\n")
        return re.sub(r"^<\?xml[^>]*\?>\s*", "", text)


def _parse_integer(digits: str) -> int | ExactNumber:
    return int(digits) if len(digits) < _MAX_INTEGER_DIGITS else ExactNumber(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _parse_xml(content: str) -> etree._Element | None:
    root = _parse_or_none(content, recover=False)
    # A bare & in a text is common and harmless. A document that breaks off is not: the lost part
    # could have been the verdict. So errors are forgiven only where the end is there.
    if root is None and _ends_with_its_root(content):
        root = _parse_or_none(_BARE_AMPERSAND.sub("&amp;", content), recover=True)
    return None if root is None else _without_namespaces(root)


def _parse_or_none(content: str, *, recover: bool) -> etree._Element | None:
    try:
        return parse_xml(content.encode("utf-8", "replace"), recover=recover)
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
    """Return `{urn:x}a` as `a`, and `x:a` too: lxml keeps a prefix without namespace like that."""
    return re.split("[}:]", name)[-1]
