"""Check a connection against the responses that its CRM documents, without network or database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connections.core.attributes import CATALOGUE, Catalogue
from connections.core.errors import BuildError, DescriptionError
from connections.core.messages import Exchange, Request
from connections.core.request.builder import RequestBuilder
from connections.core.request.spec import Environment
from connections.core.response.matching import Classification, ResponseHandling, classify
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Rule
from connections.core.samples import build_sample_request, sample_attributes
from connections.core.spec import ConnectionSpec, DocumentedResponse

CHECKED_AT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
"""The time of every check: fixed, so that a documented Retry-After date gives the same wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCheck:
    """One expected response and its classification; `rule` is the one that matched, if any."""

    response: DocumentedResponse
    classification: Classification
    rule: Rule | None

    @property
    def name(self) -> str:
        """The name of the expected response."""
        return self.response.name

    @property
    def expected(self) -> Outcome:
        """The outcome that the response should have."""
        return self.response.outcome

    @property
    def actual(self) -> Outcome:
        """The outcome that the rules give the response."""
        return self.classification.outcome

    @property
    def is_good(self) -> bool:
        """Whether the response is classified as expected."""
        return self.actual is self.expected

    def to_json(self) -> dict[str, Any]:
        """Return one row of `responses` in the output of `check_connection --json`."""
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
    """The masked request for the sample, and the check of each expected response."""

    request: Request
    responses: tuple[ResponseCheck, ...]

    @property
    def is_good(self) -> bool:
        """Whether all responses are classified as expected."""
        return all(response.is_good for response in self.responses)

    def to_json(self) -> dict[str, Any]:
        """Return the output of `check_connection --json`."""
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
    """Build the sample's request and check all expected responses.

    Raises DescriptionError if the connection itself is wrong: an invalid template, an unknown
    attribute, a sample from which no request can be built. Needs no credentials and sends nothing.
    """
    request = _build_request(spec, catalogue, now)
    return ConnectionCheck(
        request=request.masked(),
        responses=tuple(
            check_response(spec.response_handling, expected, request, now)
            for expected in spec.expected_responses
        ),
    )


def check_response(
    handling: ResponseHandling, expected: DocumentedResponse, request: Request, now: datetime
) -> ResponseCheck:
    """Classify one expected response as if it had been received for the request at `now`."""
    exchange = Exchange(request=request, response=expected.response(), finished_at=now)
    classification = classify(handling, exchange)
    matched = classification.rule
    rule = None if matched is None else handling.rules[matched]
    return ResponseCheck(response=expected, classification=classification, rule=rule)


def _build_request(spec: ConnectionSpec, catalogue: Catalogue, now: datetime) -> Request:
    defined = [name for name in Environment if spec.endpoints.get(name)]
    builders = [RequestBuilder(spec, name) for name in defined or [Environment.PRODUCTION]]
    for builder in builders:
        builder.check_attributes(catalogue)
    try:
        return build_sample_request(builders[0], sample_attributes(spec, catalogue), now)
    except BuildError as error:
        raise DescriptionError("sample", f"It makes no request. {error}") from error
