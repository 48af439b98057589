"""Preview a draft: its sample request, masked, and a check of each documented response.

Nothing is sent and nothing is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from connections.checklist import Requirement, build_checklist
from connections.core.connection_check import ResponseCheck, check_response
from connections.core.errors import BuildError, DescriptionError
from connections.core.messages import Request
from connections.core.request.builder import RequestBuilder
from connections.core.response.matching import ResponseHandling
from connections.core.samples import build_sample_request, sample_attributes
from connections.mapping.draft import Draft, DraftProblem
from connections.mapping.to_spec import build_response_handling
from connections.mapping.validation import find_form_field


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The preview of a draft. `request` is masked, and None where it can't be built.

    The keys of `response_checks` are the numbers of the expected responses' rows in the form.
    """

    environment: str
    request: Request | None = None
    problems: tuple[DraftProblem, ...] = ()
    response_checks: Mapping[int, ResponseCheck] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()


def make_preview(draft: Draft) -> Preview:
    """Return the preview of a draft; what is wrong with it becomes problems, never an exception."""
    now = datetime.now(UTC)
    preview = Preview(environment=draft.environment, problems=draft.problems)
    request = None
    try:
        spec = draft.build_spec()
        builder = RequestBuilder(spec, draft.environment)
        preview = replace(preview, attributes=tuple(sorted(builder.attributes())))
        builder.check_attributes(draft.catalogue)
        request = build_sample_request(builder, sample_attributes(spec, draft.catalogue), now)
    except (DescriptionError, BuildError) as error:
        preview = replace(preview, problems=_add_problem(preview.problems, error))
    checks = _check_responses(draft, request, now)
    return replace(
        preview,
        request=request and request.masked(),
        response_checks=checks,
        requirements=build_checklist(draft, misread=_count_misread(checks)),
    )


def _check_responses(
    draft: Draft, request: Request | None, now: datetime
) -> dict[int, ResponseCheck]:
    try:
        handling = build_response_handling(draft.connection, draft.rules)
    except DescriptionError:
        # A wrong path is reported as a problem; it has no effect on outcomes.
        handling = ResponseHandling(rules=draft.rules)
    sent = request or Request(method=draft.connection.method, url="")
    return {
        number: check_response(handling, expected, sent, now)
        for number, expected in draft.expected_responses.items()
    }


def _count_misread(checks: Mapping[int, ResponseCheck]) -> int:
    return sum(not check.is_good for check in checks.values())


def _add_problem(
    problems: tuple[DraftProblem, ...], error: DescriptionError | BuildError
) -> tuple[DraftProblem, ...]:
    """Return the problems with the error added, unless the form reports the same already."""
    if isinstance(error, BuildError):
        problem = DraftProblem(label="Request", message=str(error), field="sample_attributes")
        return (*problems, problem)
    if any(error.message in problem.message for problem in problems):
        return problems
    label, form_field = _to_label(error.field), find_form_field(error)
    return (*problems, DraftProblem(label=label, message=error.message, field=form_field))


def _to_label(name: str) -> str:
    return name.replace("_", " ").replace(".", " › ").capitalize() or "Connection"  # noqa: RUF001 - as in the breadcrumbs.
