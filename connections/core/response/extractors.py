"""Where a rule looks: each place is one class that registers itself, and finds values in an answer.

Must not know operators, rules or outcomes.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from contextvars import ContextVar
from time import monotonic
from typing import Any, ClassVar, cast

import jsonpath
import regex
from jsonpath.function_extensions import Match
from jsonpath.segments import JSONPathChildSegment
from jsonpath.selectors import IndexSelector, NameSelector
from lxml import etree

from connections.core.errors import DescriptionError
from connections.core.registry import Registry
from connections.core.response.parsed import ParsedResponse, ParseFailure
from connections.core.values import to_json

MAX_PATTERN_SECONDS = 0.1
"""How long a pattern may look at all texts of an answer: a stranger must not hold a worker."""

_PATTERNS_END: ContextVar[float] = ContextVar("_PATTERNS_END")
"""When the patterns of the JSON path that is being applied must have come to an end."""

Found = list[Any] | ParseFailure


class Extractor(ABC):
    """A place in an answer, compiled from a path."""

    label: ClassVar[str]
    path_help: ClassVar[str] = ""
    needs_path: ClassVar[bool] = True

    def __init__(self, path: str) -> None:
        """Raises DescriptionError for `path`."""
        if self.needs_path and not path.strip():
            raise DescriptionError("path", f"Is needed to look in {self.label}.")
        if path and not self.needs_path:
            raise DescriptionError("path", f"Must stay empty to look in {self.label}.")
        self.path = path.strip()

    @abstractmethod
    def find(self, answer: ParsedResponse) -> Found:
        """All values at this place, or why it can't be looked at."""


extractors: Registry[type[Extractor]] = Registry("where", "place")


@extractors.register("text")
class Text(Extractor):
    label = "the body text"
    needs_path = False

    def find(self, answer: ParsedResponse) -> Found:
        return [answer.text]


@extractors.register("json")
class Json(Extractor):
    label = "a JSON path"
    path_help = "RFC 9535; the leading $. may be left out: result[0].status"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._query = _compile_json_path(self.path)
        self._steps = _steps(self._query)

    def find(self, answer: ParsedResponse) -> Found:
        if isinstance(answer.json, ParseFailure):
            return answer.json
        if isinstance(answer.json, str):
            # The library would read a bare text as a JSON document once more.
            return [] if self._query.segments else [answer.json]
        if self._steps is not None:
            return _walked(answer.json, self._steps)
        _PATTERNS_END.set(monotonic() + MAX_PATTERN_SECONDS)
        try:
            return self._query.findall(answer.json)
        except (jsonpath.JSONPathError, ArithmeticError, RecursionError, TypeError, ValueError):
            return ParseFailure("the path can't be applied to this body")
        except TimeoutError:
            return ParseFailure("the pattern in the path takes too long for this body")


@extractors.register("xpath")
class XPath(Extractor):
    label = "an XPath"
    path_help = "Namespaces and prefixes are ignored: //RESULT/SUCCESS"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        try:
            self._expression = etree.XPath(_without_prefixes(self.path), regexp=False)
            self._expression(etree.Element("any"))  # Unknown functions are found only now.
        except (etree.XPathError, ValueError) as error:
            message = f"Not a valid XPath: {error}. Write it like //RESULT/SUCCESS."
            raise DescriptionError("path", message) from error

    def find(self, answer: ParsedResponse) -> Found:
        if isinstance(answer.xml, ParseFailure):
            return answer.xml
        try:
            found = self._expression(answer.xml.getroottree())
        except etree.XPathError as error:
            return ParseFailure(f"the XPath can't be applied ({error})")
        if isinstance(found, list):
            return [_xml_text(item) for item in found]
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        # An expression such as count(//error) > 0 that is not true has found nothing.
        return [] if found is False else [found]


@extractors.register("header")
class Header(Extractor):
    label = "a header"
    path_help = "The header's name, in upper or lower case: X-Result"

    def find(self, answer: ParsedResponse) -> Found:
        return list(answer.response.header_values(self.path))


def to_found_text(value: Any) -> str:  # noqa: ANN401 - any JSON value, or an XPath result.
    """A found value as text: a JSON string is its characters, other JSON is its JSON text."""
    if isinstance(value, str):
        return value
    try:
        return to_json(value, comma=",", colon=":")
    except (RecursionError, ValueError):
        return ""


def seconds_left(end: float) -> float:
    """What is left until then; raises TimeoutError where that is nothing."""
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Pattern(Match):
    """The function `match` or `search` of a JSON path, with a limit of time."""

    def __init__(self, method: str) -> None:
        super().__init__(thread_safe=True)
        self._method = method

    def __call__(self, value: object, pattern: object) -> bool:
        compiled = self.check_cache(pattern) if isinstance(pattern, str) else None
        if not isinstance(value, str) or not isinstance(compiled, regex.Pattern):
            return False
        left = seconds_left(_PATTERNS_END.get())
        return bool(getattr(compiled, self._method)(value, timeout=left))


# Filters are not cached, because one compiled path serves many threads.
_JSON_PATHS = jsonpath.JSONPathEnvironment(strict=True, filter_caching=False)
_JSON_PATHS.function_extensions["match"] = _Pattern("fullmatch")
_JSON_PATHS.function_extensions["search"] = _Pattern("search")


def _compile_json_path(path: str) -> jsonpath.JSONPath:
    if not path.startswith("$"):
        path = f"${path}" if path.startswith("[") else f"$.{path}"
    try:
        return cast("jsonpath.JSONPath", _JSON_PATHS.compile(path))
    except (jsonpath.JSONPathError, RecursionError, ValueError) as error:
        reason = getattr(error, "message", type(error).__name__)
        hint = "Write result[0].status, and names with other characters as $['error-code']."
        raise DescriptionError("path", f"Not a valid JSON path: {reason}. {hint}") from error


def _steps(query: jsonpath.JSONPath) -> tuple[str | int, ...] | None:
    """The names and indexes of a path that consists of nothing else, or None.

    Nearly all paths do, and the library takes fifteen times as long to walk them, which was a
    quarter of what a delivery costs its thread.
    """
    steps: list[str | int] = []
    for segment in query.segments:
        selector = segment.selectors[0]
        is_plain = isinstance(segment, JSONPathChildSegment) and len(segment.selectors) == 1
        if is_plain and type(selector) is NameSelector:
            steps.append(selector.name)
        elif is_plain and type(selector) is IndexSelector:
            steps.append(selector.index)
        else:
            return None
    return tuple(steps)


def _walked(value: Any, steps: tuple[str | int, ...]) -> list[Any]:  # noqa: ANN401 - any JSON.
    for step in steps:
        if not isinstance(value, dict if isinstance(step, str) else list):
            return []
        container: Any = value
        try:
            value = container[step]
        except (KeyError, IndexError):
            return []
    return [value]


def _without_prefixes(path: str) -> str:
    """`//soap:Body` as `//Body`, leaving axes (`child::`) and quoted texts as they are."""
    quoted = r"""("[^"]*"|'[^']*')"""
    parts = re.split(quoted, path)
    return "".join(
        part if index % 2 else re.sub(r"(?<![\w:.-])[A-Za-z_][\w.-]*:(?=[A-Za-z_*])", "", part)
        for index, part in enumerate(parts)
    )


def _xml_text(item: Any) -> str:  # noqa: ANN401 - lxml returns elements, texts or tuples.
    if not isinstance(item, etree._Element):
        return str(item)
    if not isinstance(item.tag, str):  # A comment or processing instruction.
        return item.text or ""
    return "".join(str(text) for text in item.itertext()).strip()
