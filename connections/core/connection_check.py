"""A connection held against the answers that its CRM documents; knows neither network nor rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connections.core.attributes import CATALOGUE, Attribute, AttributeValueError, examples
from connections.core.errors import BuildError, DescriptionError, suggestion
from connections.core.messages import Exchange, Request
from connections.core.request.authorization import Ticket
from connections.core.request.builder import RequestBuilder
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Classification, Rule, classify
from connections.core.spec import ConnectionSpec, Environment, ExpectedResponse

CHECKED_AT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
"""The moment of every check, so that a documented date to come back at gives the same wait."""

_DELIVERY = "00000000-0000-0000-0000-000000000000"
_TICKET = Ticket(token="test-token", moment=CHECKED_AT, message_id=_DELIVERY)  # noqa: S106
"""What an attempt brings along; a check has no token server, so its token is a stand-in."""

Catalogue = Mapping[str, Attribute]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCheck:
    """One expected response and how the rules read it; `rule` is the one that matched, if any."""

    response: ExpectedResponse
    classification: Classification
    rule: Rule | None

    @property
    def name(self) -> str:
        """The name of the expected response."""
        return self.response.name

    @property
    def expected(self) -> Outcome:
        """The outcome that the answer should have."""
        return self.response.outcome

    @property
    def actual(self) -> Outcome:
        """The outcome that the rules give it."""
        return self.classification.outcome

    @property
    def is_good(self) -> bool:
        """Whether the answer is read as it should be."""
        return self.actual is self.expected

    def to_json(self) -> dict[str, Any]:
        """The row of the answer in the output of `check_connection --json`."""
        return {
            "name": self.name,
            "expected": self.expected.value,
            "actual": self.actual.value,
            "rule": str(self.rule) if self.rule else None,
            "reason": self.classification.reason,
            "reference": self.classification.reference,
            "retry_after": self.classification.retry_after,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCheck:
    """What a connection would send for the sample, masked, and how it reads each known answer."""

    request: Request
    responses: tuple[ResponseCheck, ...]

    @property
    def is_good(self) -> bool:
        """Whether all expected responses are read as they should be."""
        return all(response.is_good for response in self.responses)

    def to_json(self) -> dict[str, Any]:
        """The output of `check_connection --json`."""
        request = {
            "method": self.request.method,
            "url": self.request.url,
            "headers": dict(self.request.headers),
            "body": self.request.body.decode("utf-8", "replace"),
        }
        return {"request": request, "responses": [row.to_json() for row in self.responses]}


def check_connection(
    spec: ConnectionSpec, catalogue: Catalogue = CATALOGUE, now: datetime = CHECKED_AT
) -> ConnectionCheck:
    """Build the sample's request and read all expected responses.

    Raises DescriptionError where the connection itself is wrong: a template that is none, an
    unknown attribute, a sample that makes no request. Needs no credentials and sends nothing.
    """
    request = _sample_request(spec, catalogue)
    return ConnectionCheck(
        request=request.masked(),
        responses=tuple(
            _check_response(spec, expected, request, now) for expected in spec.expected_responses
        ),
    )


def _sample_request(spec: ConnectionSpec, catalogue: Catalogue) -> Request:
    described = [name for name in Environment if spec.endpoints.get(name)]
    builders = [RequestBuilder(spec, name) for name in described or [Environment.PRODUCTION]]
    for builder in builders:
        builder.check_attributes(catalogue)
    try:
        attributes = sample_attributes(spec, catalogue)
        return builders[0].build(attributes, idempotency_key=_DELIVERY, ticket=_TICKET)
    except BuildError as error:
        raise DescriptionError("sample", f"It makes no request. {error}") from error


def sample_attributes(spec: ConnectionSpec, catalogue: Catalogue = CATALOGUE) -> dict[str, object]:
    """The catalogue's examples with the connection's own samples in their place, as templates see
    them; raises DescriptionError for a sample that no referral could carry."""
    own = {key: _sample(key, value, catalogue) for key, value in spec.sample.items()}
    return examples(catalogue) | own


def _sample(key: str, value: object, catalogue: Catalogue) -> object:
    field = f"sample.{key}"
    if key not in catalogue:
        message = f'There is no attribute "{key}".{suggestion(key, catalogue)}'
        raise DescriptionError(field, message)
    try:
        return catalogue[key].typed(catalogue[key].clean(value))
    except AttributeValueError as error:
        raise DescriptionError(field, f"The value {error}.") from error


def _check_response(
    spec: ConnectionSpec, expected: ExpectedResponse, request: Request, now: datetime
) -> ResponseCheck:
    exchange = Exchange(request=request, response=expected.response(), finished_at=now)
    classification = classify(spec.reading, exchange)
    index = classification.rule
    rule = None if index is None else spec.reading.rules[index]
    return ResponseCheck(response=expected, classification=classification, rule=rule)
