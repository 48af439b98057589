"""One response rule: a status part, an optional condition on the content, and an outcome."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from connections.core.errors import DescriptionError
from connections.core.response.extractors import Extractor, extractors, to_found_text
from connections.core.response.operators import Comparison, Predicate, operators
from connections.core.response.outcomes import RULE_OUTCOMES, Outcome
from connections.core.response.parsed import ParsedResponse, ParseFailure


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that matches responses by status, by one condition on the content, or by both.

    Making a wrong rule raises DescriptionError. A rule that was made never raises.
    """

    outcome: Outcome
    status: str = ""
    where: str = ""
    path: str = ""
    operator: str = ""
    value: tuple[str, ...] = ()
    ignore_case: bool = False
    _statuses: tuple[range, ...] = field(init=False, repr=False, compare=False)
    _extractor: Extractor | None = field(init=False, repr=False, compare=False)
    _predicate: Predicate | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.outcome not in RULE_OUTCOMES:
            allowed = ", ".join(RULE_OUTCOMES)
            raise DescriptionError("outcome", f"A rule's outcome is one of {allowed}.")
        statuses = parse_statuses(self.status)
        if not statuses and not self.where:
            raise DescriptionError("status", "A rule needs a status, a condition, or both.")
        extractor, predicate = self._compile_condition()
        object.__setattr__(self, "_statuses", statuses)
        object.__setattr__(self, "_extractor", extractor)
        object.__setattr__(self, "_predicate", predicate)

    def _compile_condition(self) -> tuple[Extractor | None, Predicate | None]:
        if not self.where:
            for name in ("path", "operator", "value"):
                if getattr(self, name):
                    raise DescriptionError(name, "Has no meaning without where.")
            return None, None
        comparison = Comparison(values=self.value, ignore_case=self.ignore_case)
        return extractors[self.where](self.path), operators[self.operator].compile(comparison)

    def matches(self, parsed: ParsedResponse) -> bool:
        """Return True if the rule matches this response."""
        if not self._matches_status(parsed.response.status):
            return False
        if self._extractor is None or self._predicate is None:
            return True
        found = self._extractor.extract(parsed)
        return not isinstance(found, ParseFailure) and self._predicate(found)

    def explain(self, parsed: ParsedResponse) -> str:
        """Return a sentence that says to the rule's author why it matches or does not."""
        status = parsed.response.status
        if not self._matches_status(status):
            return f"The status is {status}, not {self.status}."
        if self._extractor is None:
            return f"The status is {status}."
        found = self._extractor.extract(parsed)
        if isinstance(found, ParseFailure):
            return f"Can't look in {self._extractor.label}: {found.why}."
        verdict = "matches" if self.matches(parsed) else "does not match"
        place = f"{self._extractor.label} {self._extractor.path}".strip()
        return f"{_quote_found(found)} in {place}, which {verdict}."

    def __str__(self) -> str:
        parts = [f"status {self.status}"] if self.status else []
        if self.where:
            place = " ".join(filter(None, [self.where, self.path]))
            parts.append(" ".join([place, self.operator, ", ".join(self.value)]).strip())
        return f"{' and '.join(parts)} → {self.outcome}"

    def _matches_status(self, status: int) -> bool:
        return not self._statuses or any(status in statuses for statuses in self._statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidRule:
    """A stored rule that no longer compiles: it keeps its number and matches nothing."""

    why: str

    def matches(self, parsed: ParsedResponse) -> bool:  # noqa: ARG002 - the signature of Rule.
        """Return False for every response."""
        return False

    def explain(self, parsed: ParsedResponse) -> str:  # noqa: ARG002 - the signature of Rule.
        """Return what is wrong with the rule."""
        return self.why

    def __str__(self) -> str:
        return self.why


def parse_statuses(text: str) -> tuple[range, ...]:
    """Return `201`, `2xx`, `400-499` or `409, 422` as ranges; an empty text means any status."""
    return tuple(_parse_status(part.strip()) for part in text.split(",") if part.strip())


def _parse_status(part: str) -> range:
    if re.fullmatch(r"[1-5]xx", part, re.IGNORECASE):
        first = int(part[0]) * 100
        return range(first, first + 100)
    limits = re.fullmatch(r"([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?", part)
    if limits is None or int(limits[2] or limits[1]) < int(limits[1]):
        message = f'"{part}" is no status; write 201, 2xx, 400-499, or several with commas.'
        raise DescriptionError("status", message)
    return range(int(limits[1]), int(limits[2] or limits[1]) + 1)


def _quote_found(found: list[Any]) -> str:
    if not found:
        return "Found nothing"
    text = ", ".join(to_found_text(value) for value in found)
    return f'Found "{text[:77]}…"' if len(text) > 80 else f'Found "{text}"'
