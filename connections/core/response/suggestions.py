"""Suggest rules for a response; each suggested rule would match this very response."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connections.core.errors import DescriptionError
from connections.core.masking import MASK
from connections.core.messages import Response
from connections.core.response.extractors import to_found_text
from connections.core.response.outcomes import Outcome
from connections.core.response.parsed import ParsedResponse, ParseFailure
from connections.core.response.rules import Rule

MAX_SUGGESTIONS = 12
"""More suggestions than these are hard to take in at once."""

_MAX_VALUE_LENGTH = 200
_TELLING = (
    "title", "code", "error", "error_code", "errorcode", "type", "success", "result", "status",
    "message", "reason", "detail", "category", "subcode", "errors", "id",
)  # fmt: skip
"""Names under which CRMs put the verdict, the most telling first."""

_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")
_ID = re.compile(r"(^|[._\[/'])(id|ID|guid|uuid)\b|(Id|ID|_id)\b")
_ONE_OFF = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{16,}|\d{4}-\d\d-\d\dT\S+")
"""Values that no other response will have: identifiers, hashes, moments."""

_DUPLICATE = re.compile(r"exist|duplicate|already|conflict", re.IGNORECASE)
_SUPPRESSED = re.compile(
    r"unsubscri|opt(ed)?[-_ ]?out|suppress|compliance|forgotten", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The condition of a rule, without status and outcome."""

    where: str = ""
    path: str = ""
    operator: str = ""
    value: str = ""

    def build_rule(self, status: str, outcome: Outcome) -> Rule:
        """Return the rule with this condition; raise DescriptionError."""
        values = (self.value,) if self.value else ()
        return Rule(
            status=status, outcome=outcome, where=self.where, path=self.path,
            operator=self.operator, value=values,
        )  # fmt: skip


def suggest_conditions(response: Response, personal: Iterable[str] = ()) -> tuple[Condition, ...]:
    """Return conditions that hold for this response, the most telling first.

    No condition compares with a text that contains a personal value, since it would match for that
    person alone, or a masked credential, since it would never match.
    """
    parsed = ParsedResponse(response)
    avoided = [MASK, *(text for text in personal if text)]
    found = [
        condition
        for condition in _iterate_conditions(parsed)
        if not any(text in condition.value for text in avoided) and _holds(condition, parsed)
    ]
    return tuple(sorted(found, key=_rank)[:MAX_SUGGESTIONS])


def suggest_outcome(response: Response) -> Outcome:
    """Return what the response most likely means; a person decides."""
    text = response.text()
    if _DUPLICATE.search(text) or response.status == 409:
        return Outcome.DUPLICATE
    if _SUPPRESSED.search(text):
        return Outcome.SUPPRESSED
    if response.status in (401, 403):
        return Outcome.UNAUTHORIZED
    if response.status == 429:
        return Outcome.THROTTLED
    if 200 <= response.status < 300:
        return Outcome.DELIVERED
    return Outcome.UNAVAILABLE if response.status >= 500 else Outcome.REJECTED


def _iterate_conditions(parsed: ParsedResponse) -> Iterator[Condition]:
    if not isinstance(parsed.json, ParseFailure):
        yield from _json_conditions(parsed.json, "")
    elif not isinstance(parsed.xml, ParseFailure):
        yield from _xml_conditions(parsed.xml)
    text = parsed.text.strip()
    if text and len(text) <= _MAX_VALUE_LENGTH and "\n" not in text and text[:1] not in "{[<":
        yield Condition(where="text", operator="equals", value=text)


def _json_conditions(value: Any, path: str) -> Iterator[Condition]:  # noqa: ANN401 - any JSON.
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _json_conditions(item, _member(path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value[:3]):
            yield from _json_conditions(item, f"{path}[{index}]")
    elif path and value is not None:
        yield from _condition("json", path, to_found_text(value).strip())


def _member(path: str, name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return f"{path}.{name}" if path else name
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"{path or '$'}['{escaped}']"


def _xml_conditions(root: etree._Element) -> Iterator[Condition]:
    tree: Any = root.getroottree()
    for element in root.iter():
        if isinstance(element.tag, str) and len(element) == 0:
            yield from _condition("xpath", tree.getpath(element), (element.text or "").strip())


def _condition(where: str, path: str, text: str) -> Iterator[Condition]:
    """Yield `equals` the text, or `exists` for a text that differs every time, such as an id."""
    if text and (_ID.search(_last_step(path)) or _ONE_OFF.fullmatch(text)):
        yield Condition(where=where, path=path, operator="exists")
    elif text and len(text) <= _MAX_VALUE_LENGTH and "\n" not in text:
        yield Condition(where=where, path=path, operator="equals", value=text)


def _last_step(path: str) -> str:
    """Return the end of a path with the character before it: `.id` of `lead.id`."""
    return path[max(0, *(path.rfind(separator) for separator in ".[/")) :]


def _holds(condition: Condition, parsed: ParsedResponse) -> bool:
    try:
        return condition.build_rule("", Outcome.REJECTED).matches(parsed)
    except DescriptionError:
        return False


def _rank(condition: Condition) -> tuple[int, int]:
    """Return a sort key: first how telling the name is, then how near it stands to the root."""
    words = re.findall(r"\w+", condition.path.lower())
    names = [word for word in words if not word.isdigit()]
    last = names[-1] if names else ""
    rank = _TELLING.index(last) if last in _TELLING else len(_TELLING)
    return (rank if condition.where != "text" else 0, len(words))
