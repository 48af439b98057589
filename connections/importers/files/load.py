"""Load a connection from its TOML text.

Credentials in a file are `env:NAME` or empty, never values; a lookup function returns the value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from connections.core.errors import DescriptionError
from connections.core.request.authorization import Authorization, authorizations
from connections.core.request.bodies import EmptyValues, body_encodings
from connections.core.request.spec import METHODS, Environment
from connections.core.response.extractors import to_found_text
from connections.core.response.matching import ResponseHandling
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse, Limits, OnUnknown
from connections.importers.files.tables import (
    Table,
    get_choice,
    get_flag,
    get_list,
    get_required_text,
    get_table,
    get_text,
    get_texts,
    iterate_tables,
    refuse_unknown,
)

Lookup = Callable[[str], str]
"""Return the credential for the NAME of an `env:NAME` reference."""

_TOP_LEVEL = (
    "name", "documentation", "method", "empty_values", "required", "reason", "reference",
    "on_unknown", "idempotency_header", "content_type", "endpoints", "authorization",
    "credentials", "headers", "body", "rules", "expected_responses", "wait", "sample", "limits",
)  # fmt: skip
_RULE = ("status", "where", "path", "operator", "value", "ignore_case", "outcome")
_EXPECTED = ("name", "status", "headers", "body", "outcome")
_LIMITS = ("total_timeout", "in_flight", "per_second", "max_age", "schedule")


def dummy_credential(name: str) -> str:
    """Return `test-NAME` for `env:NAME`: a check needs no real credentials."""
    return f"test-{name}"


def load_connection(text: str, lookup: Lookup = dummy_credential) -> ConnectionSpec:
    """Return the connection in a TOML text; raise DescriptionError naming the key that is wrong."""
    table = _parse(text)
    refuse_unknown(table, _TOP_LEVEL)
    body = get_table(table, "body", ("encoding", "document"))
    return ConnectionSpec(
        name=get_required_text(table, "name"),
        documentation=get_text(table, "documentation"),
        method=get_choice(table, "method", METHODS, "POST"),
        endpoints=get_texts(table, "endpoints", tuple(Environment)),
        authorization=_authorization(table, lookup),
        credentials=_credentials(table, lookup),
        headers=get_texts(table, "headers"),
        encoding=_encoding(body),
        document=get_text(body, "document", prefix="body."),
        content_type=get_text(table, "content_type"),
        required=tuple(get_list(table, "required")),
        empty_values=EmptyValues(get_choice(table, "empty_values", tuple(EmptyValues), "omit")),
        idempotency_header=get_text(table, "idempotency_header", "Idempotency-Key"),
        response_handling=_response_handling(table),
        expected_responses=_expected_responses(table),
        sample={name: _sample(name, value) for name, value in get_table(table, "sample").items()},
        limits=_limits(table),
        on_unknown=OnUnknown(get_choice(table, "on_unknown", tuple(OnUnknown), "retry")),
    )


def _parse(text: str) -> Table:
    try:
        # Numbers keep their digits: a rule's 2.50 is compared with the 2.50 in a CRM's JSON.
        return tomllib.loads(text.removeprefix("\ufeff"), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise DescriptionError("file", f"Not valid TOML: {error}.") from error
    except RecursionError as error:
        raise DescriptionError("file", "The TOML is nested too deeply.") from error


def _authorization(table: Table, lookup: Lookup) -> Authorization:
    values = get_texts(table, "authorization")
    kind = authorizations[values.pop("kind", "none")]
    for setting in kind.settings():
        if setting.is_secret and setting.name in values:
            field = f"authorization.{setting.name}"
            values[setting.name] = _credential(values[setting.name], lookup, field)
    try:
        return kind.from_settings(values)
    except DescriptionError as error:
        raise error.under("authorization") from error


def _credentials(table: Table, lookup: Lookup) -> dict[str, str]:
    return {
        name: _credential(value, lookup, f"credentials.{name}")
        for name, value in get_texts(table, "credentials").items()
    }


def _credential(value: str, lookup: Lookup, field: str) -> str:
    if not value:
        return ""
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", value):
        message = "A file never holds a credential: write env:NAME, or leave it empty."
        raise DescriptionError(field, message)
    return lookup(value.removeprefix("env:"))


def _encoding(body: Table) -> str:
    encoding = get_text(body, "encoding", "json", prefix="body.")
    if encoding not in body_encodings:
        body_encodings[encoding]  # Raises the error that lists the known ones.
    return encoding


def _response_handling(table: Table) -> ResponseHandling:
    return ResponseHandling(
        rules=tuple(iterate_tables(table, "rules", _rule)),
        reason=get_text(table, "reason"),
        reference=get_text(table, "reference"),
        wait=_wait(table),
    )


def _rule(table: Table) -> Rule:
    refuse_unknown(table, _RULE)
    return Rule(
        outcome=_outcome(table),
        status=_statuses(table),
        where=get_text(table, "where"),
        path=get_text(table, "path"),
        operator=get_text(table, "operator"),
        value=_values(table),
        ignore_case=get_flag(table, "ignore_case"),
    )


def _statuses(table: Table) -> str:
    """Return a rule's statuses; a single one needs no quotes: `status = 400`."""
    status = table.get("status", "")
    if not isinstance(status, (str, int)) or isinstance(status, bool):
        raise DescriptionError("status", 'Must be a text in quotes: "2xx" or "409, 422".')
    return str(status)


def _values(table: Table) -> tuple[str, ...]:
    """Return what a rule compares with, as JSON text: `value = true` is `value = "true"`."""
    value = table.get("value", "")
    if value == "":
        return ()
    if isinstance(value, list) and table.get("operator") != "one_of":
        raise DescriptionError("value", 'A list is for operator = "one_of".')
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, (str, int, Decimal)) for item in values):
        message = "Must be a text, a number, true or false, or a list of these."
        raise DescriptionError("value", message)
    if "" in values:
        raise DescriptionError("value", 'An empty text is what operator = "empty" is for.')
    return tuple(to_found_text(item) for item in values)


def _expected_responses(table: Table) -> tuple[DocumentedResponse, ...]:
    responses = tuple(iterate_tables(table, "expected_responses", _expected_response))
    names = [response.name for response in responses]
    for index, name in enumerate(names):
        if name in names[:index]:
            field = f"expected_responses[{index + 1}].name"
            raise DescriptionError(field, f'There is another one of the name "{name}".')
    return responses


def _expected_response(table: Table) -> DocumentedResponse:
    refuse_unknown(table, _EXPECTED)
    status = table.get("status")
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise DescriptionError("status", "Must be a whole number from 100 to 599.")
    return DocumentedResponse(
        name=get_required_text(table, "name"),
        status=status,
        headers=tuple(get_texts(table, "headers").items()),
        body=get_text(table, "body"),
        outcome=_outcome(table),
    )


def _outcome(table: Table) -> Outcome:
    return Outcome(get_choice(table, "outcome", tuple(Outcome)))


def _wait(table: Table) -> RetryAfter | None:
    wait = get_table(table, "wait", ("where", "path", "unit"))
    if not wait:
        return None
    try:
        unit = RetryAfterUnit(get_choice(wait, "unit", tuple(RetryAfterUnit), "seconds"))
        where, path = get_required_text(wait, "where"), get_required_text(wait, "path")
        return RetryAfter(where=where, path=path, unit=unit)
    except DescriptionError as error:
        raise error.under("wait") from error


def _sample(name: str, value: Any) -> str | int:  # noqa: ANN401 - any TOML value.
    """Return a sample in the type in which referrals store it: decimals and dates are texts."""
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    message = "Must be a text, a number, a date, true or false."
    raise DescriptionError(f"sample.{name}", message)


def _limits(table: Table) -> Limits:
    return Limits.from_table(get_table(table, "limits", _LIMITS))
