"""Build a ConnectionSpec from a connection's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connections.core.errors import DescriptionError
from connections.core.request.authorization import authorizations
from connections.core.request.authorization.base import Authorization
from connections.core.request.bodies import EmptyValues
from connections.core.request.spec import Environment
from connections.core.response.matching import ResponseHandling
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import InvalidRule, Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse, Limits, OnUnknown
from connections.models import Connection, Endpoint, ExpectedResponse, ResponseRule
from connections.models.connections import CREDENTIALS_PREFIX


def build_spec(connection: Connection, environment: str = Environment.PRODUCTION) -> ConnectionSpec:
    """Return the spec of the saved connection, with the credentials of one environment.

    Raise DescriptionError, with the wrong part, if the rows make no spec. Endpoints, rules and
    expected responses are queried; prefetch them by `with_everything` for many connections.
    """
    return build_spec_from_parts(
        connection,
        environment,
        endpoints=connection.endpoints.all(),
        response_handling=build_response_handling(connection, build_rules(connection)),
        documented_responses=map(build_documented_response, connection.expected_responses.all()),
    )


def build_spec_from_parts(
    connection: Connection,
    environment: str,
    *,
    endpoints: Iterable[Endpoint],
    response_handling: ResponseHandling,
    documented_responses: Iterable[DocumentedResponse] = (),
) -> ConnectionSpec:
    """Return the spec of a connection with these parts, which need not be saved.

    Raise DescriptionError, with the wrong part, if they make no spec.
    """
    by_environment = {row.environment: row for row in endpoints}
    own = by_environment[environment].secrets if environment in by_environment else {}
    secrets = {**connection.secrets, **{name: value for name, value in own.items() if value}}
    return ConnectionSpec(
        name=connection.name,
        documentation=connection.documentation,
        method=connection.method,
        endpoints={name: row.url for name, row in by_environment.items()},
        authorization=_build_authorization(connection, secrets),
        credentials=_named_credentials(secrets),
        headers=connection.headers,
        encoding=connection.encoding,
        document=connection.document,
        content_type=connection.content_type,
        required=tuple(connection.required_attributes),
        empty_values=EmptyValues(connection.empty_values),
        idempotency_header=connection.idempotency_header,
        response_handling=response_handling,
        expected_responses=tuple(documented_responses),
        sample=connection.sample_attributes,
        limits=Limits.from_table(connection.limits),
        on_unknown=OnUnknown(connection.on_unknown),
    )


def build_response_handling(connection: Connection, rules: tuple[Rule, ...]) -> ResponseHandling:
    """Return the connection's response handling with these rules; raise DescriptionError."""
    retry_after = None
    if connection.wait_where:
        retry_after = RetryAfter(
            where=connection.wait_where,
            path=connection.wait_path,
            unit=RetryAfterUnit(connection.wait_unit),
        )
    return ResponseHandling(
        rules=rules,
        reason=connection.reason_path,
        reference=connection.reference_path,
        wait=retry_after,
    )


def build_rules(connection: Connection) -> tuple[Rule, ...]:
    """Return the saved rules in their order; raise DescriptionError if a row is invalid."""
    return tuple(map(build_rule, connection.response_rules.all()))


def build_rule(row: ResponseRule) -> Rule:
    """Return the row's rule; raise DescriptionError, with the column, if it is invalid."""
    return Rule(
        outcome=Outcome(row.outcome),
        status=row.status,
        where=row.where,
        path=row.path,
        operator=row.operator,
        value=tuple(row.values()),
        ignore_case=row.ignore_case,
    )


def compile_rules(rows: Iterable[ResponseRule]) -> list[Rule | InvalidRule]:
    """Return the rules of the rows in their order, and an InvalidRule for an invalid row."""
    return [_compile_rule(row) for row in rows]


def _compile_rule(row: ResponseRule) -> Rule | InvalidRule:
    try:
        return build_rule(row)
    except DescriptionError as error:
        return InvalidRule(why=str(error))


def build_documented_response(row: ExpectedResponse) -> DocumentedResponse:
    """Return the documented response of the row."""
    return DocumentedResponse(
        name=row.name,
        status=row.status,
        headers=tuple(row.headers.items()),
        body=row.body,
        outcome=Outcome(row.outcome),
    )


def _build_authorization(connection: Connection, secrets: Mapping[str, str]) -> Authorization:
    kind = authorizations[connection.authorization_kind]
    values = {**connection.authorization_settings, **secrets}
    # The row keeps the settings of a kind that was chosen before; they are left out.
    known = [setting.name for setting in kind.settings() if setting.name in values]
    return kind.from_settings({name: values[name] for name in known})


def _named_credentials(secrets: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(CREDENTIALS_PREFIX): value
        for name, value in secrets.items()
        if name.startswith(CREDENTIALS_PREFIX)
    }
