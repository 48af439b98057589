"""Validate rows with the core; forms and `store_connection` do so before they save."""

from __future__ import annotations

import re
from functools import partial

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from connections.core.attributes import CATALOGUE
from connections.core.errors import DescriptionError
from connections.core.request.authorization import authorizations
from connections.core.request.builder import RequestBuilder, check_endpoint
from connections.core.request.spec import Environment
from connections.core.response.matching import ResponseHandling
from connections.mapping.to_spec import (
    build_response_handling,
    build_rule,
    build_spec_from_parts,
)
from connections.models import Connection, Endpoint, ResponseRule

FORM_FIELDS = {
    "name": "name",
    "documentation": "documentation",
    "endpoints": "endpoints",
    "method": "method",
    "authorization": "authorization_kind",
    "credentials": "credentials",
    "headers": "headers",
    "idempotency_header": "idempotency_header",
    "content_type": "content_type",
    "body": "document",
    "required": "required_attributes",
    "rules": "response_rules",
    "reason": "reason_path",
    "reference": "reference_path",
    "wait": "wait_where",
    "where": "wait_where",
    "path": "wait_path",
    "sample": "sample_attributes",
    "limits": "limits",
}
"""The form field or formset for each part of a spec, by the part's name in a connection's file.

Fields and formsets have the names of the columns and the related rows that they fill.
"""

_COLUMNS = {field.name for field in Connection._meta.fields}
_RULE_COLUMNS = {"status", "where", "path", "operator", "value", "outcome"}


def find_form_field(error: DescriptionError) -> str:
    """Return the form field or formset of the wrong part, or "" if it has none."""
    part, *_ = re.split(r"[.\[]", error.field, maxsplit=1)
    return FORM_FIELDS.get(part, "")


def full_clean(connection: Connection) -> None:
    """Run the model's validation and the core's; raise ValidationError with the errors of both."""
    errors: dict[str, list[ValidationError]] = {}
    for check in (connection.full_clean, partial(validate_connection, connection)):
        try:
            check()
        except ValidationError as error:
            errors = error.update_error_dict(errors)
    if errors:
        raise ValidationError(errors)


def validate_connection(connection: Connection) -> None:
    """Raise ValidationError, with the column, if no request could be built from the row."""
    # Credentials may be missing, and endpoints are separate rows: stand-in values replace them.
    kind, secrets = connection.authorization_kind, connection.secrets
    endpoint = Endpoint(environment=Environment.PRODUCTION.value, url="https://crm.example/")
    try:
        missing = [
            setting.name
            for setting in authorizations[kind].settings()
            if setting.is_secret and setting.name not in secrets
        ]
        endpoint.secrets = dict.fromkeys(missing, "stand-in")
        spec = build_spec_from_parts(
            connection, endpoint.environment,
            endpoints=[endpoint], response_handling=ResponseHandling(),
        )  # fmt: skip
        known = connection.account.catalogue() if connection.account_id else CATALOGUE
        RequestBuilder(spec).check_attributes(known)
        build_response_handling(connection, ())
    except DescriptionError as error:
        field = find_form_field(error)
        field = field if field in _COLUMNS else NON_FIELD_ERRORS
        raise ValidationError({field: _build_message(field, error)}) from error


def validate_endpoint(row: Endpoint) -> None:
    """Raise ValidationError if the URL is no valid endpoint."""
    try:
        check_endpoint(row.url)
    except DescriptionError as error:
        raise ValidationError({"url": error.message}) from error


def validate_rule(row: ResponseRule) -> None:
    """Raise ValidationError, with the column, if the row is no valid rule."""
    try:
        build_rule(row)
    except DescriptionError as error:
        field = error.field if error.field in _RULE_COLUMNS else "status"
        raise ValidationError({field: error.message}) from error
    except ValueError as error:
        raise ValidationError({"outcome": "Choose what the answer means."}) from error


def _build_message(field: str, error: DescriptionError) -> str:
    """Return the message, with the part of the field in front that the form shows, if any."""
    _, _, part = error.field.partition(".")
    if field == NON_FIELD_ERRORS:
        return str(error)
    is_known = not part or field == "document" or part in error.message
    return error.message if is_known else f"{part}: {error.message}"
