"""What a draft would send and how it reads the documented answers; sends nothing, saves nothing.

Credentials leave this module masked. Must not know forms or pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from connections.checklist import Requirement, requirements
from connections.core.errors import BuildError, DescriptionError
from connections.core.messages import Exchange, Request
from connections.core.request.authorization import Ticket
from connections.core.request.builder import RequestBuilder
from connections.core.response.rules import ResponseHandling, classify
from connections.core.spec import ConnectionSpec, ExpectedResponse
from connections.importers.files import ResponseCheck, sample_attributes
from connections.mapping.draft import Draft, DraftProblem

_DELIVERY = "00000000-0000-0000-0000-000000000000"

TABS = {
    "name": "general",
    "documentation": "general",
    "endpoints": "endpoint",
    "method": "endpoint",
    "authorization": "authorization",
    "credentials": "authorization",
    "headers": "headers",
    "idempotency_header": "headers",
    "content_type": "headers",
    "body": "body",
    "required": "body",
    "rules": "answers",
    "reason": "answers",
    "reference": "answers",
    "wait": "answers",
    "where": "answers",
    "path": "answers",
    "sample": "settings",
    "limits": "settings",
}
"""Where the parts of a description, in the words of its file, stand among the tabs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The masked request, if one can be built; what is wrong; how each known answer is read."""

    environment: str
    request: Request | None = None
    problems: tuple[DraftProblem, ...] = ()
    readings: Mapping[int, ResponseCheck] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()

    @property
    def misread(self) -> int:
        """How many documented answers the rules would read wrongly."""
        return sum(not reading.is_good for reading in self.readings.values())


def make_preview(draft: Draft) -> Preview:
    """The preview of a draft; never raises for what a person may have typed."""
    preview = Preview(environment=draft.environment, problems=draft.problems)
    request = None
    try:
        spec = draft.spec()
        builder = RequestBuilder(spec, draft.environment)
        preview = replace(preview, attributes=tuple(sorted(builder.attributes())))
        builder.check_attributes(draft.catalogue)
        request = _sample_request(builder, spec, draft)
    except (DescriptionError, BuildError) as error:
        preview = replace(preview, problems=_with(preview.problems, error))
    readings = dict(_readings(draft, request)) if draft.expected_responses else {}
    preview = replace(preview, request=request and request.masked(), readings=readings)
    return replace(preview, requirements=requirements(draft, preview.misread))


def _sample_request(builder: RequestBuilder, spec: ConnectionSpec, draft: Draft) -> Request:
    ticket = Ticket(token="test-token", moment=datetime.now(UTC), message_id=_DELIVERY)  # noqa: S106 - a stand-in.
    attributes = sample_attributes(spec, draft.catalogue)
    return builder.build(attributes, idempotency_key=_DELIVERY, ticket=ticket)


def _with(
    problems: tuple[DraftProblem, ...], error: DescriptionError | BuildError
) -> tuple[DraftProblem, ...]:
    """The problems with one more, unless the form has found the same one already."""
    if isinstance(error, BuildError):
        return (*problems, DraftProblem(label="Request", message=str(error), tab="settings"))
    root = error.field.partition(".")[0].partition("[")[0]
    if any(error.message in problem.message for problem in problems):
        return problems
    tab = TABS.get(root, "general")
    return (*problems, DraftProblem(label=_in_words(error.field), message=error.message, tab=tab))


def _in_words(field: str) -> str:
    return field.replace("_", " ").replace(".", " › ").capitalize() or "Connection"  # noqa: RUF001 - as in the breadcrumbs.


def _readings(draft: Draft, request: Request | None) -> list[tuple[int, ResponseCheck]]:
    try:
        reading = draft.connection.build_response_handling(draft.rules)
    except DescriptionError:
        reading = ResponseHandling(rules=draft.rules)
    sent = request or Request(method=draft.connection.method, url="")
    return [
        (number, _reading(reading, expected, sent))
        for number, expected in draft.expected_responses.items()
    ]


def _reading(
    reading: ResponseHandling, expected: ExpectedResponse, request: Request
) -> ResponseCheck:
    exchange = Exchange(
        request=request, response=expected.response(), finished_at=datetime.now(UTC)
    )
    meaning = classify(reading, exchange)
    rule = None if meaning.rule is None else reading.rules[meaning.rule]
    return ResponseCheck(response=expected, classification=meaning, rule=rule)
