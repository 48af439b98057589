"""Tests of the validation of rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from connections.mapping.validation import (
    full_clean,
    validate_connection,
    validate_endpoint,
    validate_rule,
)
from connections.models import Connection, Endpoint, ResponseRule

INVALID: list[tuple[dict[str, Any], str, str | None]] = [
    ({"document": "{nonsense"}, "document", None),
    (
        {"document": '{"a": "{{ emial }}"}'},
        "document",
        'There is no attribute "emial". Did you mean "email"?',
    ),
    (
        {"document": '{"a": "{{ credentials.key }}"}'},
        "document",
        'There is no credential "key".',
    ),
    (
        {"document": '{"a": "{{ email | shout }}"}'},
        "document",
        'There is no filter "shout". Did you mean "sort"?',
    ),
    (
        {"headers": {"Host": "evil"}},
        "headers",
        "The header Host is set by the connection itself.",
    ),
    ({"headers": {"X": "a\nb"}}, "headers", "X: A header can't hold a line break."),
    (
        {"required_attributes": ["emial"]},
        "required_attributes",
        'There is no attribute "emial". Did you mean "email"?',
    ),
    (
        {"limits": {"per_second": 0}},
        "limits",
        "per_second: Must be a number greater than 0.",
    ),
    ({"limits": {"speed": 1}}, "limits", "speed: There is no such limit."),
    ({"wait_where": "json", "wait_path": "[["}, "wait_path", None),
    ({"reason_path": "[["}, "reason_path", None),
    ({"reference_path": "//["}, "reference_path", None),
    ({"authorization_kind": "magic"}, "authorization_kind", None),
    (
        {"method": "GET"},
        "document",
        "GET has no body: use URL encoded, or no document.",
    ),
]


@pytest.mark.parametrize(("columns", "field", "message"), INVALID)
def test_an_invalid_connection_is_refused_at_its_column(
    connection: Connection, columns: dict[str, Any], field: str, message: str | None
) -> None:
    for name, value in columns.items():
        setattr(connection, name, value)

    with pytest.raises(ValidationError) as refusal:
        full_clean(connection)

    found = refusal.value.message_dict
    assert list(found) == [field]
    assert message is None or found[field] == [message]


def test_a_valid_connection_is_accepted(connection: Connection) -> None:
    full_clean(connection)
    full_clean(Connection(account=connection.account, name="Blank"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("crm.example", "Must be a whole URL that starts with https:// or http://."),
        ("ftp://crm.example", "Must be a whole URL that starts with https:// or http://."),
        ("https://jo:pw@crm.example", "Must not hold a user name: use the authorization."),
        (
            "https://{{ email }}/",
            "The host may hold {{ credentials.NAME }}, but no attribute and no tag.",
        ),
        ("https://müller.example", None),
        ("https://crm.example/{{ email", None),
    ],
)
def test_an_invalid_endpoint_is_refused(
    connection: Connection, url: str, message: str | None
) -> None:
    with pytest.raises(ValidationError) as refusal:
        validate_endpoint(Endpoint(connection=connection, environment="staging", url=url))

    found = refusal.value.message_dict
    assert list(found) == ["url"]
    assert message is None or found["url"] == [message]


@pytest.mark.parametrize(
    "url", ["https://crm.example/", "http://{{ credentials.dc }}.crm.example/{{ email }}?a=b"]
)
def test_a_valid_endpoint_is_accepted(connection: Connection, url: str) -> None:
    validate_endpoint(Endpoint(connection=connection, environment="staging", url=url))


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"status": "soon"}, "status"),
        ({"status": "", "where": ""}, "status"),
        ({"where": "json", "path": "[[", "operator": "exists"}, "path"),
        ({"where": "xpath", "path": "//[", "operator": "exists"}, "path"),
        ({"where": "text", "operator": "matches", "value": "("}, "value"),
        ({"where": "text", "operator": "equals"}, "value"),
        ({"operator": "exists"}, "operator"),
        ({"path": "title"}, "path"),
        ({"outcome": ""}, "outcome"),
    ],
)
def test_an_invalid_rule_is_refused_at_its_column(
    connection: Connection, columns: dict[str, str], field: str
) -> None:
    fields = {"status": "400", "outcome": "rejected", **columns}

    with pytest.raises(ValidationError) as refusal:
        validate_rule(ResponseRule(connection=connection, **fields))

    assert list(refusal.value.message_dict) == [field]


def test_errors_of_the_model_and_of_the_core_are_raised_together(connection: Connection) -> None:
    connection.documentation, connection.document = "nowhere", "{nonsense"

    with pytest.raises(ValidationError) as refusal:
        full_clean(connection)

    assert list(refusal.value.message_dict) == ["documentation", "document"]


def test_a_connection_without_its_credentials_is_accepted(connection: Connection) -> None:
    connection.secrets = {}

    validate_connection(connection)
