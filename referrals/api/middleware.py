"""Turn Django's own error pages under the API's URLs into problem details.

These errors never reach an operation: an unknown URL, a wrong method, an internal error.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from referrals.api.problems import CONTENT_TYPE, NOT_FOUND_DETAIL, problem_response

_URL_PREFIX = "/api/"
_SERVER_ERROR_DETAIL = (
    "The fault is ours. Send it again later: what was stored already is not stored twice."
)


def problem_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Return middleware that makes every error under the API's URLs a problem document."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_error = response.status_code >= HTTPStatus.BAD_REQUEST
        if not (is_error and request.path.startswith(_URL_PREFIX)):
            return response
        return response if response["Content-Type"] == CONTENT_TYPE else _build_problem(response)

    return middleware


def _build_problem(response: HttpResponse) -> HttpResponse:
    status = HTTPStatus(response.status_code)
    replacement = problem_response(status, _detail(status, response))
    if response.has_header("Allow"):
        replacement["Allow"] = response["Allow"]
    return replacement


def _detail(status: HTTPStatus, response: HttpResponse) -> str:
    if status is HTTPStatus.NOT_FOUND:
        return NOT_FOUND_DETAIL
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"This address takes {response['Allow']}."
    is_server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _SERVER_ERROR_DETAIL if is_server_error else f"{status.description}."
