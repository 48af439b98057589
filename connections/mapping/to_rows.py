"""Convert a ConnectionSpec to a connection's rows, and store them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse, Limits
from connections.mapping.validation import full_clean
from connections.models import Account, Connection, Endpoint, ExpectedResponse, ResponseRule
from connections.models.connections import CREDENTIALS_PREFIX

RowT = TypeVar("RowT", bound=Model)


@transaction.atomic
def store_connection(spec: ConnectionSpec, *, account: Account) -> Connection:
    """Create or replace the account's connection of this name, and return it.

    Storing the same spec twice changes nothing. A credential that is empty in the spec keeps its
    stored value. Raise ValidationError, with the column, if no request could be built.
    """
    connection = Connection.objects.filter(account=account, name=spec.name).first()
    connection = connection or Connection(account=account, name=spec.name)
    changed_columns = _copy_columns(connection, spec)
    is_changed = bool(changed_columns) or connection.pk is None
    if is_changed:
        full_clean(connection)
        # Not the state: a worker may have held the connection since it was read.
        is_new = connection.pk is None
        connection.save(update_fields=None if is_new else [*changed_columns, "changed_at"])
    are_changed = (
        _store_endpoints(connection, spec),
        _replace_rules(connection, spec),
        _replace_expected_responses(connection, spec),
    )
    if any(are_changed) and not is_changed:
        connection.save(update_fields=["changed_at"])
    return connection


def _copy_columns(connection: Connection, spec: ConnectionSpec) -> set[str]:
    """Copy the spec onto the unsaved row; return the names of the columns that changed."""
    secrets = {**_kept_secrets(connection, spec), **_spec_secrets(spec)}
    columns = {**_columns(spec), "secrets": secrets}
    changed = {name for name, value in columns.items() if getattr(connection, name) != value}
    for name in changed:
        setattr(connection, name, columns[name])
    return changed


def _columns(spec: ConnectionSpec) -> dict[str, Any]:
    retry_after = spec.response_handling.wait
    return {
        "documentation": spec.documentation,
        "method": spec.method,
        "authorization_kind": spec.authorization.kind,
        "authorization_settings": _plain_settings(spec),
        "headers": dict(spec.headers),
        "encoding": spec.encoding,
        "document": spec.document,
        "content_type": spec.content_type,
        "required_attributes": list(spec.required),
        "empty_values": spec.empty_values.value,
        "idempotency_header": spec.idempotency_header,
        "reason_path": spec.response_handling.reason,
        "reference_path": spec.response_handling.reference,
        "wait_where": retry_after.where if retry_after else "",
        "wait_path": retry_after.path if retry_after else "",
        "wait_unit": retry_after.unit.value if retry_after else "seconds",
        "sample_attributes": dict(spec.sample),
        "limits": _limits(spec.limits),
        "on_unknown": spec.on_unknown.value,
    }


def _plain_settings(spec: ConnectionSpec) -> dict[str, str]:
    secret = {setting.name for setting in spec.authorization.settings() if setting.is_secret}
    settings = spec.authorization.to_settings()
    return {name: value for name, value in settings.items() if name not in secret}


def _spec_secrets(spec: ConnectionSpec) -> dict[str, str]:
    named = {f"{CREDENTIALS_PREFIX}{name}": value for name, value in spec.credentials.items()}
    secrets = {**spec.authorization.secrets(), **named}
    return {name: value for name, value in secrets.items() if value}


def _kept_secrets(connection: Connection, spec: ConnectionSpec) -> dict[str, str]:
    """Return the saved secrets whose names are still in the spec."""
    names = {setting.name for setting in spec.authorization.settings() if setting.is_secret}
    names |= {f"{CREDENTIALS_PREFIX}{name}" for name in spec.credentials}
    return {name: value for name, value in connection.secrets.items() if name in names}


def _limits(limits: Limits) -> dict[str, Any]:
    defaults, values = asdict(Limits()), asdict(limits)
    if limits.schedule is not None:
        values["schedule"] = list(limits.schedule)
    return {name: value for name, value in values.items() if value != defaults[name]}


def _store_endpoints(connection: Connection, spec: ConnectionSpec) -> bool:
    """Make the stored endpoints equal the spec's; return True if any changed.

    An endpoint that stays keeps its own credentials.
    """
    before = dict(connection.endpoints.values_list("environment", "url"))
    connection.endpoints.exclude(environment__in=spec.endpoints).delete()
    for environment, url in spec.endpoints.items():
        Endpoint.objects.update_or_create(
            connection=connection, environment=environment, defaults={"url": url}
        )
    return before != dict(spec.endpoints)


def build_rule_row(rule: Rule, *, connection: Connection, position: int) -> ResponseRule:
    """Return an unsaved row of the rule."""
    return ResponseRule(
        connection=connection,
        position=position,
        status=rule.status,
        where=rule.where,
        path=rule.path,
        operator=rule.operator,
        value="\n".join(rule.value),
        ignore_case=rule.ignore_case,
        outcome=rule.outcome.value,
    )


def build_expected_response_row(
    documented: DocumentedResponse, *, connection: Connection
) -> ExpectedResponse:
    """Return an unsaved row of the documented response."""
    return ExpectedResponse(
        connection=connection,
        name=documented.name,
        status=documented.status,
        headers=dict(documented.headers),
        body=documented.body,
        outcome=documented.outcome.value,
    )


def _replace_rules(connection: Connection, spec: ConnectionSpec) -> bool:
    """Make the stored rules equal the spec's; return True if any changed."""
    rows = [
        build_rule_row(rule, connection=connection, position=position)
        for position, rule in enumerate(spec.response_handling.rules, start=1)
    ]
    return _replace(connection.response_rules.all(), rows)


def _replace_expected_responses(connection: Connection, spec: ConnectionSpec) -> bool:
    """Make the stored expected responses equal the spec's; return True if any changed."""
    rows = [
        build_expected_response_row(documented, connection=connection)
        for documented in spec.expected_responses
    ]
    return _replace(connection.expected_responses.all(), rows)


def _replace(stored: QuerySet[RowT], rows: list[RowT]) -> bool:
    """Delete the stored rows and store these, unless they are equal; return True if they differ."""
    if [_values(row) for row in stored] == [_values(row) for row in rows]:
        return False
    stored.delete()
    stored.model._default_manager.bulk_create(rows)
    return True


def _values(row: Model) -> list[Any]:
    return [getattr(row, field.attname) for field in row._meta.fields if not field.primary_key]
