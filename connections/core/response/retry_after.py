"""How long a CRM asks to wait, from its headers or its body; must not know rules or outcomes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from connections.core.errors import DescriptionError
from connections.core.response.extractors import Extractor, extractors, to_found_text
from connections.core.response.parsed import ParsedResponse, ParseFailure

MAX_RETRY_AFTER_SECONDS = 86_400.0
"""Seconds. A longer wait is a mistake or a trap; after a day the CRM is asked again."""


_FIRST_EPOCH_IN_MILLISECONDS = 1e11
"""As seconds it is the year 5138; CRMs write the present moment in either unit."""


class RetryAfterUnit(StrEnum):
    """What the number in a wait field means."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    EPOCH = "epoch"


@dataclass(frozen=True, kw_only=True)
class RetryAfter:
    """Where a CRM without Retry-After tells how long to wait."""

    where: str
    path: str
    unit: RetryAfterUnit = RetryAfterUnit.SECONDS
    _place: Extractor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.where == "text":
            raise DescriptionError("where", "Must be header, json or xpath.")
        object.__setattr__(self, "_place", extractors[self.where](self.path))

    def read(self, answer: ParsedResponse, received_at: datetime) -> float | None:
        """Seconds to wait, or None where the answer does not say."""
        found = self._place.find(answer)
        if isinstance(found, ParseFailure) or not found:
            return None
        return _in_unit(to_found_text(found[0]), self.unit, received_at)


def read_retry_after(
    wait: RetryAfter | None, answer: ParsedResponse, received_at: datetime
) -> float | None:
    """Seconds to wait, or None where the answer does not say; Retry-After comes first."""
    retry_after = _retry_after(answer.response.header("Retry-After"), received_at)
    if retry_after is not None or wait is None:
        return retry_after
    return wait.read(answer, received_at)


def _retry_after(header: str, received_at: datetime) -> float | None:
    if not header:
        return None
    seconds = _number(header)
    if seconds is not None:
        return _bounded(seconds)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, IndexError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _bounded((aware - received_at).total_seconds())


def _in_unit(text: str, unit: RetryAfterUnit, received_at: datetime) -> float | None:
    number = _number(text)
    if number is None:
        return None
    if unit is RetryAfterUnit.EPOCH:
        epoch = number / 1000 if number >= _FIRST_EPOCH_IN_MILLISECONDS else number
        return _bounded(epoch - received_at.timestamp())
    return _bounded(number / 1000 if unit is RetryAfterUnit.MILLISECONDS else number)


def _number(text: str) -> float | None:
    try:
        number = float(text.strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)
