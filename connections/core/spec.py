"""A connection as one immutable value, with the field names of the file format."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from connections.core.errors import DescriptionError, did_you_mean
from connections.core.messages import Headers, Response
from connections.core.request.spec import RequestSpec
from connections.core.response.matching import ResponseHandling
from connections.core.response.outcomes import Outcome


class OnUnknown(StrEnum):
    """The action for a delivery whose outcome is `unknown`: sent, but without a response."""

    RETRY = "retry"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedResponse:
    """One response from the CRM's documentation and the outcome that it should have."""

    name: str
    status: int
    headers: Headers = ()
    body: str = ""
    outcome: Outcome

    def response(self) -> Response:
        """Return the response as if it had been received."""
        return Response(status=self.status, headers=self.headers, body=self.body.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one connection. Times are in seconds; None means the product's default."""

    total_timeout: float = 30.0
    in_flight: int | None = None
    per_second: float | None = None
    max_age: float | None = None
    schedule: tuple[float, ...] | None = None

    @classmethod
    def from_table(cls, values: Mapping[str, Any]) -> Limits:
        """Return the limits of a table; raise DescriptionError naming the wrong key."""
        for name in values:
            if name not in cls.__slots__:
                hint = did_you_mean(name, cls.__slots__)
                raise DescriptionError(f"limits.{name}", f"There is no such limit.{hint}")
        return cls(**{name: _limit(name, value) for name, value in values.items()})


def _limit(name: str, value: Any) -> Any:  # noqa: ANN401 - each limit has a type of its own.
    field = f"limits.{name}"
    if name == "schedule":
        if not isinstance(value, list) or not value or not all(map(_is_number, value)):
            raise DescriptionError(field, "Must be a list of seconds: [0, 5, 30].")
        return tuple(map(float, value))
    if not _is_number(value) or value == 0:
        raise DescriptionError(field, "Must be a number greater than 0.")
    if name == "in_flight":
        if not isinstance(value, int):
            raise DescriptionError(field, "Must be a whole number.")
        return value
    return float(value)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return False
    return math.isfinite(value) and value >= 0


@dataclass(frozen=True, kw_only=True)
class ConnectionSpec(RequestSpec):
    """One connection with the credentials of one environment."""

    name: str
    documentation: str = ""
    response_handling: ResponseHandling = field(default_factory=ResponseHandling)
    expected_responses: tuple[DocumentedResponse, ...] = ()
    sample: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    on_unknown: OnUnknown = OnUnknown.RETRY
