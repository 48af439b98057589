"""How long a CRM asks to wait, read from the headers or the body of its response."""

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
"""A longer wait is a mistake or a trap; after a day the CRM is asked again."""

_FIRST_EPOCH_IN_MILLISECONDS = 1e11
"""As seconds this is the year 5138; CRMs write the present moment in either unit."""


class RetryAfterUnit(StrEnum):
    """The unit of the number that a CRM gives."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    EPOCH = "epoch"


@dataclass(frozen=True, kw_only=True)
class RetryAfter:
    """Where a CRM that sends no Retry-After says how long to wait."""

    where: str
    path: str
    unit: RetryAfterUnit = RetryAfterUnit.SECONDS
    _extractor: Extractor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.where == "text":
            raise DescriptionError("where", "Must be header, json or xpath.")
        object.__setattr__(self, "_extractor", extractors[self.where](self.path))

    def read(self, parsed: ParsedResponse, received_at: datetime) -> float | None:
        """Return the seconds to wait, or None where the response does not say."""
        found = self._extractor.extract(parsed)
        if isinstance(found, ParseFailure) or not found:
            return None
        return _to_seconds(to_found_text(found[0]), self.unit, received_at)


def read_retry_after(
    wait: RetryAfter | None, parsed: ParsedResponse, received_at: datetime
) -> float | None:
    """Return the seconds to wait, or None where the response does not say.

    The header Retry-After comes before the place that the connection describes.
    """
    seconds = _read_header(parsed.response.header("Retry-After"), received_at)
    if seconds is not None or wait is None:
        return seconds
    return wait.read(parsed, received_at)


def _read_header(header: str, received_at: datetime) -> float | None:
    if not header:
        return None
    seconds = _to_number(header)
    if seconds is not None:
        return _limit(seconds)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, IndexError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _limit((aware - received_at).total_seconds())


def _to_seconds(text: str, unit: RetryAfterUnit, received_at: datetime) -> float | None:
    number = _to_number(text)
    if number is None:
        return None
    if unit is RetryAfterUnit.EPOCH:
        epoch = number / 1000 if number >= _FIRST_EPOCH_IN_MILLISECONDS else number
        return _limit(epoch - received_at.timestamp())
    return _limit(number / 1000 if unit is RetryAfterUnit.MILLISECONDS else number)


def _to_number(text: str) -> float | None:
    try:
        number = float(text.strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _limit(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)
