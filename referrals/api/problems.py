"""Turn exceptions into problem details (RFC 9457)."""

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
NOT_FOUND_DETAIL = "There is nothing at this address."


class ExactParser(Parser):
    """Parses JSON without changing its numbers: 2.50 stays 2.50."""

    def parse_body(self, request: HttpRequest) -> Any:  # noqa: ANN401 - any JSON.
        try:
            return json.loads(request.body, parse_float=Decimal, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, "The body is nested too deeply.") from error
        except ValueError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from error


def problem_response(
    status: HTTPStatus, detail: str, errors: Iterable[FieldError] = ()
) -> HttpResponse:
    """Return a problem document; its member `errors` names each wrong field."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    fields = [{"field": error.field, "message": error.message} for error in errors]
    if fields:
        content["errors"] = fields
    response = HttpResponse(json.dumps(content), status=status.value, content_type=CONTENT_TYPE)
    if status is HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def add_error_handlers(api: NinjaAPI) -> None:
    """Make the API respond to every exception with a problem document."""
    for exception_class, build_response in _RESPONSES.items():
        api.add_exception_handler(exception_class, _make_handler(build_response))


def _make_handler(
    build_response: Callable[[Any], HttpResponse],
) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda request, error: build_response(error)


def _intake_refused(error: IntakeRefused) -> HttpResponse:
    detail = "Nothing was stored. Correct what errors names and send all of it again."
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, detail, error.errors)


def _invalid(error: ValidationError) -> HttpResponse:
    if any(item["loc"][0] == "path" for item in error.errors):
        return problem_response(HTTPStatus.NOT_FOUND, NOT_FOUND_DETAIL)
    errors = [FieldError(_field(item["loc"]), str(item["msg"])) for item in error.errors]
    return _intake_refused(IntakeRefused(errors))


def _not_live(error: CampaignNotLive) -> HttpResponse:
    return problem_response(HTTPStatus.CONFLICT, f"{error} Nothing was stored.")


def _too_large(_: RequestDataTooBig) -> HttpResponse:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
    detail = f"The body is larger than {limit} KiB. Send fewer referrals in one request."
    return problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _unauthenticated(_: AuthenticationError) -> HttpResponse:
    detail = "Send the account's intake key in the header Authorization: Bearer <intake key>."
    return problem_response(HTTPStatus.UNAUTHORIZED, detail)


def _not_found(error: Http404) -> HttpResponse:
    return problem_response(HTTPStatus.NOT_FOUND, str(error) or NOT_FOUND_DETAIL)


def _http_error(error: HttpError) -> HttpResponse:
    # Ninja raises an error of its own, which says little, from the one that the parser raised.
    if isinstance(error.__cause__, HttpError):
        return _http_error(error.__cause__)
    return problem_response(HTTPStatus(error.status_code), error.message)


_RESPONSES: dict[type[Exception], Callable[[Any], HttpResponse]] = {
    IntakeRefused: _intake_refused,
    ValidationError: _invalid,
    CampaignNotLive: _not_live,
    RequestDataTooBig: _too_large,
    AuthenticationError: _unauthenticated,
    Http404: _not_found,
    HttpError: _http_error,
}


def _field(location: Iterable[str | int]) -> str:
    """Return the field in the form `[3].attributes.email` from pydantic's location."""
    parts = [part for part in list(location)[2:] if part not in _UNION_TAGS]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "body"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
