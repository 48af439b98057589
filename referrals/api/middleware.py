"""The errors that never reach an operation: no such address, another method, a fault of ours.

Django answers those with pages for people; whoever calls the API reads problem documents alone.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from referrals.api.problems import CONTENT_TYPE, NOTHING, problem

_ADDRESSES = "/api/"
_FAULT = "The fault is ours. Send it again later: what was stored already is not stored twice."


def problem_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: every error under the API's addresses is a problem document."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_error = response.status_code >= HTTPStatus.BAD_REQUEST
        if not (is_error and request.path.startswith(_ADDRESSES)):
            return response
        return response if response["Content-Type"] == CONTENT_TYPE else _as_problem(response)

    return middleware


def _as_problem(response: HttpResponse) -> HttpResponse:
    status = HTTPStatus(response.status_code)
    answer = problem(status, _detail(status, response))
    if response.has_header("Allow"):
        answer["Allow"] = response["Allow"]
    return answer


def _detail(status: HTTPStatus, response: HttpResponse) -> str:
    if status is HTTPStatus.NOT_FOUND:
        return NOTHING
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"This address takes {response['Allow']}."
    return _FAULT if status >= HTTPStatus.INTERNAL_SERVER_ERROR else f"{status.description}."
