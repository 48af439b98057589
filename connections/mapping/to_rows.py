"""From a connection's value to its rows and back; must not know files, forms or pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from connections.core.spec import ConnectionSpec, Limits
from connections.models import Account, Connection, Endpoint, ExpectedResponse, ResponseRule
from connections.models.connections import CREDENTIALS_PREFIX

RowT = TypeVar("RowT", bound=Model)


@transaction.atomic
def store_connection(spec: ConnectionSpec, *, account: Account) -> Connection:
    """Create or replace the account's connection of this name, and return it.

    Storing the same twice changes nothing. A credential that the value leaves empty stays as it is.
    """
    connection = Connection.objects.filter(account=account, name=spec.name).first()
    connection = connection or Connection(account=account, name=spec.name)
    is_changed = _copy_columns(connection, spec) or connection.pk is None
    if is_changed:
        connection.full_clean()
        connection.save()
    parts = (
        _store_endpoints(connection, spec),
        _replace(connection.response_rules.all(), _rules(connection, spec)),
        _replace(connection.expected_responses.all(), _expected_responses(connection, spec)),
    )
    if any(parts) and not is_changed:
        connection.save(update_fields=["changed_at"])
    return connection


def _copy_columns(connection: Connection, spec: ConnectionSpec) -> bool:
    """Whether one of them is another one now."""
    secrets = {**_kept_secrets(connection, spec), **_given_secrets(spec)}
    columns = {**_columns(spec), "secrets": secrets}
    changed = {name for name, value in columns.items() if getattr(connection, name) != value}
    for name in changed:
        setattr(connection, name, columns[name])
    return bool(changed)


def _columns(spec: ConnectionSpec) -> dict[str, Any]:
    wait = spec.reading.wait
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
        "reason_path": spec.reading.reason,
        "reference_path": spec.reading.reference,
        "wait_where": wait.where if wait else "",
        "wait_path": wait.path if wait else "",
        "wait_unit": wait.unit.value if wait else "seconds",
        "sample_attributes": dict(spec.sample),
        "limits": _limits(spec.limits),
        "on_unknown": spec.on_unknown.value,
    }


def _plain_settings(spec: ConnectionSpec) -> dict[str, str]:
    secret = {setting.name for setting in spec.authorization.settings() if setting.is_secret}
    settings = spec.authorization.to_settings()
    return {name: value for name, value in settings.items() if name not in secret}


def _given_secrets(spec: ConnectionSpec) -> dict[str, str]:
    named = {f"{CREDENTIALS_PREFIX}{name}": value for name, value in spec.credentials.items()}
    every = {**spec.authorization.secrets(), **named}
    return {name: value for name, value in every.items() if value}


def _kept_secrets(connection: Connection, spec: ConnectionSpec) -> dict[str, str]:
    """What is saved already under names that the value still has."""
    names = {setting.name for setting in spec.authorization.settings() if setting.is_secret}
    names |= {f"{CREDENTIALS_PREFIX}{name}" for name in spec.credentials}
    return {name: value for name, value in connection.secrets.items() if name in names}


def _limits(limits: Limits) -> dict[str, Any]:
    defaults, values = asdict(Limits()), asdict(limits)
    if limits.schedule is not None:
        values["schedule"] = list(limits.schedule)
    return {name: value for name, value in values.items() if value != defaults[name]}


def _store_endpoints(connection: Connection, spec: ConnectionSpec) -> bool:
    """Whether there is another one, or one less; their own credentials stay."""
    before = dict(connection.endpoints.values_list("environment", "url"))
    connection.endpoints.exclude(environment__in=spec.endpoints).delete()
    for environment, url in spec.endpoints.items():
        Endpoint.objects.update_or_create(
            connection=connection, environment=environment, defaults={"url": url}
        )
    return before != dict(spec.endpoints)


def _rules(connection: Connection, spec: ConnectionSpec) -> list[ResponseRule]:
    return [
        ResponseRule.from_domain(rule, connection=connection, position=position)
        for position, rule in enumerate(spec.reading.rules, start=1)
    ]


def _expected_responses(connection: Connection, spec: ConnectionSpec) -> list[ExpectedResponse]:
    return [
        ExpectedResponse(
            connection=connection,
            name=expected.name,
            status=expected.status,
            headers=dict(expected.headers),
            body=expected.body,
            outcome=expected.outcome.value,
        )
        for expected in spec.expected_responses
    ]


def _replace(stored: QuerySet[RowT], rows: list[RowT]) -> bool:
    """Store the rows in place of those that are there, unless they are the same."""
    if [_values(row) for row in stored] == [_values(row) for row in rows]:
        return False
    stored.delete()
    stored.model._default_manager.bulk_create(rows)
    return True


def _values(row: Model) -> list[Any]:
    return [getattr(row, field.attname) for field in row._meta.fields if not field.primary_key]
