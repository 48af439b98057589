"""What an exchange means: the first rule that matches decides, or else the status or the error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connections.core.errors import DescriptionError
from connections.core.masking import Mask
from connections.core.messages import ErrorCode, Exchange, ExchangeError, Response
from connections.core.response.extractors import Extractor, extractors, to_found_text
from connections.core.response.outcomes import Outcome
from connections.core.response.parsed import ParsedResponse, ParseFailure
from connections.core.response.retry_after import RetryAfter, read_retry_after
from connections.core.response.rules import InvalidRule, Rule

_MAX_TEXT_LENGTH = 500
"""Characters kept of a reason or reference: a CRM may put its whole page there."""

_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
"""Characters that JSON can spell and a database can't store."""

_XPATH = re.compile(r"[/(]|[\w-]+\(")
"""The start of a path that is no JSON path: a slash, a bracket or a function."""

_GONE = 410

_OUTCOMES_BY_STATUS = {
    401: Outcome.UNAUTHORIZED,
    403: Outcome.UNAUTHORIZED,
    408: Outcome.UNAVAILABLE,
    _GONE: Outcome.UNAVAILABLE,
    425: Outcome.UNAVAILABLE,
    429: Outcome.THROTTLED,
}
_OUTCOMES_BY_STATUS_CLASS = {
    2: Outcome.DELIVERED,
    4: Outcome.REJECTED,
    5: Outcome.UNAVAILABLE,
}
_OUTCOMES_BY_ERROR = {
    ErrorCode.NOT_BUILT: Outcome.INVALID,
    ErrorCode.BLOCKED_ADDRESS: Outcome.INVALID,
    ErrorCode.TOKEN: Outcome.UNAUTHORIZED,
}


@dataclass(frozen=True, kw_only=True)
class ResponseHandling:
    """How one connection's responses are classified, and where reason, reference and wait stand.

    `reason` and `reference` are paths: an XPath if they look like one, else a JSON path.
    """

    rules: tuple[Rule, ...] = ()
    reason: str = ""
    reference: str = ""
    wait: RetryAfter | None = None
    _reason: Extractor | None = field(init=False, repr=False, compare=False)
    _reference: Extractor | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_reason", _compile_path("reason", self.reason))
        object.__setattr__(self, "_reference", _compile_path("reference", self.reference))

    def extract_reason(self, parsed: ParsedResponse, mask: Mask) -> str:
        """Return the masked text at the path of the reason, or an empty text."""
        return _extract_text(self._reason, parsed, mask)

    def extract_reference(self, parsed: ParsedResponse, mask: Mask) -> str:
        """Return the masked text at the path of the reference, or an empty text."""
        return _extract_text(self._reference, parsed, mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What an exchange means.

    `rule` is the index of the rule that matched, `retry_after` is in seconds, and
    `holds_connection` says that nothing more may be sent until a person has looked.
    """

    outcome: Outcome
    rule: int | None = None
    reason: str = ""
    reference: str = ""
    retry_after: float | None = None
    holds_connection: bool = False


class RuleState(StrEnum):
    """What became of one rule when a response was classified."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    NOT_ASKED = "unasked"
    INVALID = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEvaluation:
    """One rule tried on a response; `number` counts from 1."""

    number: int
    text: str
    explanation: str
    state: RuleState


def classify(handling: ResponseHandling, exchange: Exchange) -> Classification:
    """Return what the exchange means, by the rules or by default where no rule matches."""
    response = exchange.response
    if response is None:
        return _classify_error(exchange)
    parsed = ParsedResponse(response)
    mask = exchange.request.mask
    matched = first_match(handling.rules, parsed)
    return Classification(
        outcome=default_outcome(response.status, handling.rules)
        if matched is None
        else handling.rules[matched].outcome,
        rule=matched,
        reason=handling.extract_reason(parsed, mask),
        reference=handling.extract_reference(parsed, mask),
        retry_after=read_retry_after(handling.wait, parsed, exchange.finished_at),
        holds_connection=matched is None and response.status == _GONE,
    )


def first_match(rules: Iterable[Rule | InvalidRule], parsed: ParsedResponse) -> int | None:
    """Return the index of the first rule that matches the response, or None."""
    return next((index for index, rule in enumerate(rules) if rule.matches(parsed)), None)


def evaluate_rules(
    rules: Sequence[Rule | InvalidRule], response: Response
) -> Iterator[RuleEvaluation]:
    """Yield what each rule makes of the response, and why."""
    parsed = ParsedResponse(response)
    matched = first_match(rules, parsed)
    for index, rule in enumerate(rules):
        state = _get_state(rule, index, matched)
        is_asked = state is not RuleState.NOT_ASKED
        yield RuleEvaluation(
            number=index + 1,
            text=str(rule),
            explanation=rule.explain(parsed)
            if is_asked
            else "Not asked: an earlier rule has matched.",
            state=state,
        )


def default_outcome(status: int, rules: Iterable[Rule] = ()) -> Outcome:
    """Return what a status means if none of these rules matches.

    A 2xx is not delivered where a rule says what a delivered response looks like: many CRMs refuse
    with 200.
    """
    if status in _OUTCOMES_BY_STATUS:
        return _OUTCOMES_BY_STATUS[status]
    outcome = _OUTCOMES_BY_STATUS_CLASS.get(status // 100, Outcome.UNRECOGNISED)
    if outcome is Outcome.DELIVERED and any(rule.outcome is outcome for rule in rules):
        return Outcome.UNRECOGNISED
    return outcome


def error_outcome(code: ErrorCode) -> Outcome:
    """Return what an exchange without a whole response means."""
    if code in _OUTCOMES_BY_ERROR:
        return _OUTCOMES_BY_ERROR[code]
    return Outcome.UNKNOWN if code.may_have_arrived else Outcome.UNAVAILABLE


def _classify_error(exchange: Exchange) -> Classification:
    # Neither a response nor an error is a lost connection: the request may have arrived.
    error = exchange.error or ExchangeError(code=ErrorCode.CONNECTION_LOST, message="")
    reason = _to_storable(error.message, exchange.request.mask)
    return Classification(outcome=error_outcome(error.code), reason=reason)


def _get_state(rule: Rule | InvalidRule, index: int, matched: int | None) -> RuleState:
    if isinstance(rule, InvalidRule):
        return RuleState.INVALID
    if matched is None or index < matched:
        return RuleState.UNMATCHED
    return RuleState.MATCHED if index == matched else RuleState.NOT_ASKED


def _compile_path(name: str, path: str) -> Extractor | None:
    if not path.strip():
        return None
    where = "xpath" if _XPATH.match(path.strip()) else "json"
    try:
        return extractors[where](path)
    except DescriptionError as error:
        raise DescriptionError(name, error.message) from error


def _extract_text(extractor: Extractor | None, parsed: ParsedResponse, mask: Mask) -> str:
    found = extractor.extract(parsed) if extractor else []
    if isinstance(found, ParseFailure):
        return ""
    texts = [to_found_text(value).strip() for value in found if value is not None]
    return _to_storable(", ".join(filter(None, texts)), mask)


def _to_storable(text: str, mask: Mask) -> str:
    """Return the text as it may be stored; masked before the cut, so no half credential stays."""
    return _UNSTORABLE.sub("\ufffd", mask.in_text(text))[:_MAX_TEXT_LENGTH]
