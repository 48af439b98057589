"""A connection as one value: what is described in the admin or in a file, in the same words.

Must not know where it is kept; `build.py` and `rules.py` say what is done with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from connections.core.errors import DescriptionError, suggestion
from connections.core.messages import Headers, Response
from connections.core.request.authorization import Authorization
from connections.core.request.authorization.static import None_
from connections.core.request.bodies import EmptyValues
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import ResponseHandling

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Environment(StrEnum):
    """The CRM's systems; a test lead must never reach the production one by accident."""

    PRODUCTION = "production"
    STAGING = "staging"
    TESTING = "testing"


class OnUnknown(StrEnum):
    """What happens to a delivery that was sent and never answered."""

    RETRY = "retry"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedResponse:
    """One documented answer of the CRM and the outcome that it should have."""

    name: str
    status: int
    headers: Headers = ()
    body: str = ""
    outcome: Outcome

    def response(self) -> Response:
        """The answer as if it had been received."""
        return Response(status=self.status, headers=self.headers, body=self.body.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How hard one connection may be driven. Times are in seconds; None means the product's own."""

    total_timeout: float = 30.0
    in_flight: int | None = None
    per_second: float | None = None
    max_age: float | None = None
    schedule: tuple[float, ...] | None = None

    @classmethod
    def from_table(cls, values: Mapping[str, Any]) -> Limits:
        """The limits in a table; raises DescriptionError naming the key that is wrong."""
        for name in values:
            if name not in cls.__slots__:
                hint = suggestion(name, cls.__slots__)
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
class ConnectionSpec:
    """One connection, for one environment's credentials."""

    name: str
    documentation: str = ""
    method: str = "POST"
    endpoints: Mapping[str, str] = field(default_factory=dict)
    authorization: Authorization = field(default_factory=None_)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "json"
    document: str = ""
    content_type: str = ""
    required: tuple[str, ...] = ()
    empty_values: EmptyValues = EmptyValues.OMIT
    idempotency_header: str = "Idempotency-Key"
    reading: ResponseHandling = field(default_factory=ResponseHandling)
    expected_responses: tuple[ExpectedResponse, ...] = ()
    sample: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    on_unknown: OnUnknown = OnUnknown.RETRY

    def secrets(self) -> tuple[str, ...]:
        """Everything that must be masked wherever a request of this connection is kept."""
        return (
            *self.authorization.secrets().values(),
            *self.authorization.derived_secrets(),
            *self.credentials.values(),
        )
