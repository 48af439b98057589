"""Extractors return the values at one place of a response; each class registers itself."""

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
"""Seconds for one pattern and all texts of a response: a stranger's text must not hold a worker."""

_PATTERNS_END: ContextVar[float] = ContextVar("_PATTERNS_END")
"""The monotonic time at which the patterns of the JSON path that is being applied must stop."""

Found = list[Any] | ParseFailure
"""The values at a place, or why nobody can look there."""


class Extractor(ABC):
    """A place in a response, compiled from a path."""

    label: ClassVar[str]
    path_help: ClassVar[str] = ""
    needs_path: ClassVar[bool] = True

    def __init__(self, path: str) -> None:
        """Compile the path; raise DescriptionError for `path`."""
        if self.needs_path and not path.strip():
            raise DescriptionError("path", f"Is needed to look in {self.label}.")
        if path and not self.needs_path:
            raise DescriptionError("path", f"Must stay empty to look in {self.label}.")
        self.path = path.strip()

    @abstractmethod
    def extract(self, parsed: ParsedResponse) -> Found:
        """Return all values at this place, or why nobody can look there."""


extractors: Registry[type[Extractor]] = Registry("where", "place")


@extractors.register("text")
class TextExtractor(Extractor):
    label = "the body text"
    needs_path = False

    def extract(self, parsed: ParsedResponse) -> Found:
        return [parsed.text]


@extractors.register("json")
class JsonExtractor(Extractor):
    label = "a JSON path"
    path_help = "RFC 9535; the leading $. may be left out: result[0].status"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._query = _compile_json_path(self.path)
        self._steps = _steps(self._query)

    def extract(self, parsed: ParsedResponse) -> Found:
        if isinstance(parsed.json, ParseFailure):
            return parsed.json
        if isinstance(parsed.json, str):
            # The library would parse a bare text as a JSON document once more.
            return [] if self._query.segments else [parsed.json]
        if self._steps is not None:
            return _walk(parsed.json, self._steps)
        _PATTERNS_END.set(monotonic() + MAX_PATTERN_SECONDS)
        try:
            return self._query.findall(parsed.json)
        except (jsonpath.JSONPathError, ArithmeticError, RecursionError, TypeError, ValueError):
            return ParseFailure("the path can't be applied to this body")
        except TimeoutError:
            return ParseFailure("the pattern in the path takes too long for this body")


@extractors.register("xpath")
class XPathExtractor(Extractor):
    label = "an XPath"
    path_help = "Namespaces and prefixes are ignored: //RESULT/SUCCESS"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        try:
            self._expression = etree.XPath(_without_prefixes(self.path), regexp=False)
            self._expression(etree.Element("any"))  # Only this call finds unknown functions.
        except (etree.XPathError, ValueError) as error:
            message = f"Not a valid XPath: {error}. Write it like //RESULT/SUCCESS."
            raise DescriptionError("path", message) from error

    def extract(self, parsed: ParsedResponse) -> Found:
        if isinstance(parsed.xml, ParseFailure):
            return parsed.xml
        try:
            found = self._expression(parsed.xml.getroottree())
        except etree.XPathError as error:
            return ParseFailure(f"the XPath can't be applied ({error})")
        if isinstance(found, list):
            return [_xml_text(item) for item in found]
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        # A false expression, such as count(//error) > 0, has found nothing.
        return [] if found is False else [found]


@extractors.register("header")
class HeaderExtractor(Extractor):
    label = "a header"
    path_help = "The header's name, in upper or lower case: X-Result"

    def extract(self, parsed: ParsedResponse) -> Found:
        return list(parsed.response.header_values(self.path))


def to_found_text(value: Any) -> str:  # noqa: ANN401 - any JSON value, or an XPath result.
    """Return a found value as text: the characters of a JSON string, the JSON of anything else."""
    if isinstance(value, str):
        return value
    try:
        return to_json(value, comma=",", colon=":")
    except (RecursionError, ValueError):
        return ""


def seconds_left(end: float) -> float:
    """Return the seconds until the monotonic time `end`; raise TimeoutError if none are left."""
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Pattern(Match):
    """The function `match` or `search` of a JSON path, with a time limit."""

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
    """Return the names and indexes of a path that has nothing else, or None for other paths.

    Nearly all paths are of this kind, and the library takes fifteen times as long to walk them as
    `_walk` does: that was a quarter of a delivery's CPU time.
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


def _walk(value: Any, steps: tuple[str | int, ...]) -> list[Any]:  # noqa: ANN401 - any JSON.
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
    """Return `//soap:Body` as `//Body`; axes (`child::`) and quoted texts stay."""
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
