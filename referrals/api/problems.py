"""Errors as problem details (RFC 9457): what happened, which field, what would be right.

Must not know the operations; they raise, this module answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from referrals.intake import CampaignNotLive, FieldError, IntakeRefused

CONTENT_TYPE = "application/problem+json"

_UNION_TAGS = ("one", "many")
NOTHING = "There is nothing at this address."


class ExactParser(Parser):
    """JSON with its numbers as they were written: 2.50 stays 2.50."""

    def parse_body(self, request: HttpRequest) -> Any:  # noqa: ANN401 - any JSON.
        try:
            return json.loads(request.body, parse_float=Decimal, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, "The body is nested too deeply.") from error
        except ValueError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from error


def problem(status: HTTPStatus, detail: str, problems: Iterable[FieldError] = ()) -> HttpResponse:
    """A problem document; `errors` names each wrong field."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    errors = [{"field": one.field, "message": one.message} for one in problems]
    if errors:
        content["errors"] = errors
    response = HttpResponse(json.dumps(content), status=status.value, content_type=CONTENT_TYPE)
    if status is HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def add_error_handlers(api: NinjaAPI) -> None:
    """Make the API answer every error with a problem document."""
    for kind, answer in _ANSWERS.items():
        api.add_exception_handler(kind, _handler(answer))


def _handler(
    answer: Callable[[Any], HttpResponse],
) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda request, error: answer(error)


def _refused(error: IntakeRefused) -> HttpResponse:
    detail = "Nothing was stored. Correct what errors names and send all of it again."
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, error.problems)


def _invalid(error: ValidationError) -> HttpResponse:
    if any(one["loc"][0] == "path" for one in error.errors):
        return problem(HTTPStatus.NOT_FOUND, NOTHING)
    problems = [FieldError(_field(one["loc"]), str(one["msg"])) for one in error.errors]
    return _refused(IntakeRefused(problems))


def _not_live(error: CampaignNotLive) -> HttpResponse:
    return problem(HTTPStatus.CONFLICT, f"{error} Nothing was stored.")


def _too_large(_: RequestDataTooBig) -> HttpResponse:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
    detail = f"The body is larger than {limit} KiB. Send fewer referrals in one request."
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _unauthenticated(_: AuthenticationError) -> HttpResponse:
    detail = "Send the account's intake key in the header Authorization: Bearer <intake key>."
    return problem(HTTPStatus.UNAUTHORIZED, detail)


def _not_found(error: Http404) -> HttpResponse:
    return problem(HTTPStatus.NOT_FOUND, str(error) or NOTHING)


def _http_error(error: HttpError) -> HttpResponse:
    # Ninja puts an error of its own, which says little, before what its parser raised.
    if isinstance(error.__cause__, HttpError):
        return _http_error(error.__cause__)
    return problem(HTTPStatus(error.status_code), error.message)


_ANSWERS: dict[type[Exception], Callable[[Any], HttpResponse]] = {
    IntakeRefused: _refused,
    ValidationError: _invalid,
    CampaignNotLive: _not_live,
    RequestDataTooBig: _too_large,
    AuthenticationError: _unauthenticated,
    Http404: _not_found,
    HttpError: _http_error,
}


def _field(location: Iterable[str | int]) -> str:
    """`[3].attributes.email` from the path that pydantic gives."""
    parts = [part for part in list(location)[2:] if part not in _UNION_TAGS]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "body"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
