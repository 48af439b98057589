"""What an exchange means: rules in order, first match wins, and what holds where none matches.

Must not know how places are searched or values compared, only that both can be asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from connections.core.errors import DescriptionError
from connections.core.masking import Mask
from connections.core.messages import ErrorCode, Exchange
from connections.core.response.extractors import Extractor, Found, extractors, to_found_text
from connections.core.response.operators import Comparison, Test, operators
from connections.core.response.outcomes import RULE_OUTCOMES, Outcome
from connections.core.response.parsed import ParsedResponse, ParseFailure
from connections.core.response.retry_after import RetryAfter, read_retry_after

_MAX_TEXT_LENGTH = 500
"""Characters kept of a reason or reference: a CRM may put its whole page there."""

_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
"""Characters that JSON can spell and a database can't hold."""

_XPATH = re.compile(r"[/(]|[\w-]+\(")
"""How a path begins that is no JSON path: with a slash, a bracket or a function."""

_GONE = 410


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Conditions and the outcome they mean: a status part and, optionally, one condition more.

    Raises DescriptionError when made wrongly; a made rule never raises.
    """

    outcome: Outcome
    status: str = ""
    where: str = ""
    path: str = ""
    operator: str = ""
    value: tuple[str, ...] = ()
    ignore_case: bool = False
    _statuses: tuple[range, ...] = field(init=False, repr=False, compare=False)
    _place: Extractor | None = field(init=False, repr=False, compare=False)
    _test: Test | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.outcome not in RULE_OUTCOMES:
            allowed = ", ".join(RULE_OUTCOMES)
            raise DescriptionError("outcome", f"A rule's outcome is one of {allowed}.")
        statuses = parse_statuses(self.status)
        if not statuses and not self.where:
            raise DescriptionError("status", "A rule needs a status, a condition, or both.")
        place, test = self._compile_condition()
        object.__setattr__(self, "_statuses", statuses)
        object.__setattr__(self, "_place", place)
        object.__setattr__(self, "_test", test)

    def _compile_condition(self) -> tuple[Extractor | None, Test | None]:
        if not self.where:
            for name in ("path", "operator", "value"):
                if getattr(self, name):
                    raise DescriptionError(name, "Has no meaning without where.")
            return None, None
        comparison = Comparison(values=self.value, ignore_case=self.ignore_case)
        return extractors[self.where](self.path), operators[self.operator].compile(comparison)

    def matches(self, answer: ParsedResponse) -> bool:
        """Whether the rule holds for this answer."""
        if not self._matches_status(answer.response.status):
            return False
        if self._place is None or self._test is None:
            return True
        found = self._place.find(answer)
        return not isinstance(found, ParseFailure) and self._test(found)

    def explain(self, answer: ParsedResponse) -> str:
        """Why the rule holds or does not, as a sentence for the person who wrote it."""
        status = answer.response.status
        if not self._matches_status(status):
            return f"The status is {status}, not {self.status}."
        if self._place is None:
            return f"The status is {status}."
        found = self._place.find(answer)
        if isinstance(found, ParseFailure):
            return f"Can't look in {self._place.label}: {found.why}."
        verdict = "matches" if self.matches(answer) else "does not match"
        return f"{_build_shown(found)} in {_described(self._place)}, which {verdict}."

    def __str__(self) -> str:
        parts = [f"status {self.status}"] if self.status else []
        if self.where:
            place = " ".join(filter(None, [self.where, self.path]))
            parts.append(" ".join([place, self.operator, ", ".join(self.value)]).strip())
        return f"{' and '.join(parts)} → {self.outcome}"

    def _matches_status(self, status: int) -> bool:
        return not self._statuses or any(status in statuses for statuses in self._statuses)


@dataclass(frozen=True, kw_only=True)
class ResponseHandling:
    """Everything that says how one connection's answers are read.

    `reason` and `reference` are paths: XPath where they look like one, else JSON path.
    """

    rules: tuple[Rule, ...] = ()
    reason: str = ""
    reference: str = ""
    wait: RetryAfter | None = None
    _places: dict[str, Extractor | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = {
            name: _path_place(name, getattr(self, name)) for name in ("reason", "reference")
        }
        object.__setattr__(self, "_places", compiled)

    def get_text(self, name: str, answer: ParsedResponse, mask: Mask) -> str:
        """The text at the path `reason` or `reference`, masked, or nothing."""
        place = self._places[name]
        found = place.find(answer) if place else []
        if isinstance(found, ParseFailure):
            return ""
        texts = [to_found_text(value).strip() for value in found if value is not None]
        return _kept(", ".join(filter(None, texts)), mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What an exchange means. `rule` is the index of the rule that matched, `retry_after` is in
    seconds, `holds_connection` says that nothing more may be sent until a person has looked."""

    outcome: Outcome
    rule: int | None = None
    reason: str = ""
    reference: str = ""
    retry_after: float | None = None
    holds_connection: bool = False


def classify(reading: ResponseHandling, exchange: Exchange) -> Classification:
    """What the exchange means by the rules, or by the defaults where no rule matches."""
    if exchange.response is None:
        return _classify_error(exchange)
    answer = ParsedResponse(exchange.response)
    mask = exchange.request.mask
    matched = next(
        (index for index, rule in enumerate(reading.rules) if rule.matches(answer)), None
    )
    status = exchange.response.status
    outcome = _default(status, reading.rules) if matched is None else reading.rules[matched].outcome
    return Classification(
        outcome=outcome,
        rule=matched,
        reason=reading.get_text("reason", answer, mask),
        reference=reading.get_text("reference", answer, mask),
        retry_after=read_retry_after(reading.wait, answer, exchange.finished_at),
        holds_connection=matched is None and status == _GONE,
    )


def parse_statuses(text: str) -> tuple[range, ...]:
    """`201`, `2xx`, `400-499`, `409, 422` as ranges; nothing means any status."""
    return tuple(_parse_status(part.strip()) for part in text.split(",") if part.strip())


def _path_place(name: str, path: str) -> Extractor | None:
    if not path.strip():
        return None
    is_xpath = _XPATH.match(path.strip())
    try:
        return extractors["xpath" if is_xpath else "json"](path)
    except DescriptionError as error:
        raise DescriptionError(name, error.message) from error


def _kept(text: str, mask: Mask) -> str:
    """The text as it may be stored; masked before it is cut, so that no half credential is left."""
    return _UNSTORABLE.sub("\ufffd", mask.in_text(text))[:_MAX_TEXT_LENGTH]


def _classify_error(exchange: Exchange) -> Classification:
    code = exchange.error.code if exchange.error else ErrorCode.CONNECTION_LOST
    reason = _kept(exchange.error.message, exchange.request.mask) if exchange.error else ""
    if code is ErrorCode.NOT_BUILT or code is ErrorCode.BLOCKED_ADDRESS:
        return Classification(outcome=Outcome.INVALID, reason=reason)
    if code is ErrorCode.TOKEN:
        return Classification(outcome=Outcome.UNAUTHORIZED, reason=reason)
    outcome = Outcome.UNKNOWN if code.may_have_arrived else Outcome.UNAVAILABLE
    return Classification(outcome=outcome, reason=reason)


def _default(status: int, rules: tuple[Rule, ...]) -> Outcome:
    if status in _DEFAULTS:
        return _DEFAULTS[status]
    if 200 <= status < 300:
        says_what_is_delivered = any(rule.outcome is Outcome.DELIVERED for rule in rules)
        return Outcome.UNRECOGNISED if says_what_is_delivered else Outcome.DELIVERED
    if 400 <= status < 500:
        return Outcome.REJECTED
    return Outcome.UNAVAILABLE if 500 <= status < 600 else Outcome.UNRECOGNISED


_DEFAULTS = {
    401: Outcome.UNAUTHORIZED,
    403: Outcome.UNAUTHORIZED,
    408: Outcome.UNAVAILABLE,
    _GONE: Outcome.UNAVAILABLE,
    425: Outcome.UNAVAILABLE,
    429: Outcome.THROTTLED,
}


def _parse_status(part: str) -> range:
    if re.fullmatch(r"[1-5]xx", part, re.IGNORECASE):
        first = int(part[0]) * 100
        return range(first, first + 100)
    limits = re.fullmatch(r"([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?", part)
    if limits is None or int(limits[2] or limits[1]) < int(limits[1]):
        message = f'"{part}" is no status; write 201, 2xx, 400-499, or several with commas.'
        raise DescriptionError("status", message)
    return range(int(limits[1]), int(limits[2] or limits[1]) + 1)


def _described(place: Extractor) -> str:
    return f"{place.label} {place.path}".strip()


def _build_shown(found: Found) -> str:
    values: list[Any] = found if isinstance(found, list) else []
    if not values:
        return "Found nothing"
    text = ", ".join(to_found_text(value) for value in values)
    return f'Found "{text[:77]}…"' if len(text) > 80 else f'Found "{text}"'
