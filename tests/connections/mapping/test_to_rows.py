"""Tests of storing specs as rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from connections.core.request.authorization.static import Basic, Bearer
from connections.core.response.matching import ResponseHandling
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse, Limits, OnUnknown
from connections.importers.files import dump_connection, load_connection
from connections.mapping import to_rows
from connections.mapping.to_rows import store_connection
from connections.mapping.to_spec import build_spec
from connections.mapping.validation import full_clean
from connections.models import (
    Account,
    Connection,
    ConnectionTest,
    Endpoint,
    ExpectedResponse,
    ResponseRule,
)
from connections.operations.pause_hold_release import hold_connection
from tests.connections.importers.presets import PRESETS
from tests.users import SOMEBODY


def read_rows() -> list[list[dict[str, Any]]]:
    """Return all rows of connections, with decrypted credentials."""
    models: tuple[Any, ...] = (Connection, Endpoint, ResponseRule, ExpectedResponse)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def sort_headers(spec: ConnectionSpec) -> ConnectionSpec:
    """Sort the headers, as PostgreSQL reorders the names of a JSON object."""
    expected = tuple(
        replace(response, headers=tuple(sorted(response.headers)))
        for response in spec.expected_responses
    )
    return replace(spec, expected_responses=expected)


def test_thirteen_presets_are_tested() -> None:
    assert len(PRESETS) == 13


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.stem)
def test_a_stored_preset_is_dumped_to_the_same_file(account: Account, file: Path) -> None:
    spec = load_connection(file.read_text())

    row = store_connection(spec, account=account)

    stored = build_spec(Connection.objects.with_everything().get())
    assert row.account == account
    assert sort_headers(stored) == sort_headers(spec)
    dumped = dump_connection(stored)
    assert "test-" not in dumped
    reloaded = load_connection(dumped, lambda name: f"dumped-{name}")
    store_connection(reloaded, account=account)
    assert build_spec(Connection.objects.get()) == reloaded
    assert dump_connection(reloaded) == dumped
    assert load_connection(dumped) == replace(
        stored, authorization=load_connection(dumped).authorization,
        credentials=load_connection(dumped).credentials,
    )  # fmt: skip


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.stem)
def test_storing_a_spec_twice_changes_no_row(account: Account, file: Path) -> None:
    spec = load_connection(file.read_text())
    first, before = store_connection(spec, account=account), read_rows()

    assert store_connection(spec, account=account) == first
    assert read_rows() == before


def test_every_setting_is_stored(account: Account, connection_spec: ConnectionSpec) -> None:
    full = replace(
        connection_spec,
        documentation="https://crm.example/docs",
        method="PUT",
        credentials={"tenant": "t-1"},
        headers={"X-Tenant": "{{ credentials.tenant }}", "Accept": "application/json"},
        content_type="application/vnd.api+json",
        idempotency_header="",
        sample={"email": "jo@example.com", "age": 30, "amount": "2.50"},
        limits=Limits(
            total_timeout=9.5, in_flight=2, per_second=0.5, max_age=3600.0, schedule=(0.0, 1.5)
        ),
        on_unknown=OnUnknown.HOLD,
        response_handling=ResponseHandling(
            rules=(
                Rule(outcome=Outcome.THROTTLED, status="4xx", where="text", operator="contains",
                     value=("slow down",), ignore_case=True),
                Rule(outcome=Outcome.REJECTED, where="json", path="errors[*].code",
                     operator="one_of", value=("a b", "2.50", "ü")),
            ),
            reason="//error",
            reference="id",
            wait=RetryAfter(where="header", path="X-Wait", unit=RetryAfterUnit.MILLISECONDS),
        ),
        expected_responses=(
            DocumentedResponse(name="Busy", status=429, headers=(("X-Wait", "1"),), body="x\n",
                             outcome=Outcome.THROTTLED),
        ),
    )  # fmt: skip

    store_connection(full, account=account)

    assert build_spec(Connection.objects.get()) == full


def test_storing_a_spec_replaces_the_stored_rows(
    account: Account, connection: Connection, connection_spec: ConnectionSpec
) -> None:
    changed = replace(
        connection_spec,
        endpoints={"production": "https://crm.example/new"},
        response_handling=ResponseHandling(rules=(Rule(outcome=Outcome.DELIVERED, status="2xx"),)),
    )

    assert store_connection(changed, account=account).pk == connection.pk

    assert build_spec(Connection.objects.get()) == changed
    assert (Endpoint.objects.count(), ResponseRule.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"endpoints": {"production": "https://crm.example/new"}},
        {"response_handling": ResponseHandling()},
        {
            "expected_responses": (
                DocumentedResponse(name="A", status=200, outcome=Outcome.INVALID),
            )
        },
    ],
)
def test_a_changed_spec_makes_earlier_tests_outdated(
    account: Account,
    connection: Connection,
    connection_spec: ConnectionSpec,
    change: dict[str, Any],
) -> None:
    ConnectionTest.objects.create(
        connection=connection, environment="testing", outcome="delivered", is_good=True,
        started_at=timezone.now(), connection_changed_at=connection.changed_at,
    )  # fmt: skip
    store_connection(connection_spec, account=account)
    assert Connection.objects.tested().get() == connection

    store_connection(replace(connection_spec, **change), account=account)

    assert not Connection.objects.tested().exists()


def test_storing_a_spec_keeps_the_state_and_the_test_environment(
    account: Account, connection: Connection, connection_spec: ConnectionSpec
) -> None:
    Connection.objects.update(state="held", state_reason="Refused", test_environment="staging")

    store_connection(replace(connection_spec, method="PUT"), account=account)

    kept = Connection.objects.get()
    assert (kept.state, kept.state_reason, kept.test_environment) == ("held", "Refused", "staging")


def test_a_hold_while_a_spec_is_stored_is_kept(
    account: Account,
    connection: Connection,
    connection_spec: ConnectionSpec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hold_and_clean(row: Connection) -> None:
        hold_connection(row.pk, by=SOMEBODY, reason="The credentials are refused.")
        full_clean(row)

    monkeypatch.setattr(to_rows, "full_clean", hold_and_clean)
    store_connection(
        replace(connection_spec, documentation="https://crm.example/"), account=account
    )
    stored = Connection.objects.get(pk=connection.pk)
    assert (stored.documentation, stored.state) == ("https://crm.example/", "held")


def test_an_empty_credential_keeps_the_stored_one(
    account: Account, connection_spec: ConnectionSpec
) -> None:
    named = replace(connection_spec, credentials={"api_key": "k-1", "other": "k-2"})
    store_connection(named, account=account)
    Endpoint.objects.filter(environment="testing").update(secrets={"password": "for tests"})

    empty = Basic(username="somebody", password="")
    store_connection(
        replace(named, authorization=empty, credentials={"api_key": "", "other": "new"}),
        account=account,
    )

    connection = Connection.objects.get()
    assert build_spec(connection).authorization == Basic(username="somebody", password="demo-key")
    assert build_spec(connection).credentials == {"api_key": "k-1", "other": "new"}
    assert build_spec(connection, "testing").authorization.secrets() == {"password": "for tests"}


def test_a_credential_that_is_no_longer_named_is_deleted(
    account: Account, connection_spec: ConnectionSpec
) -> None:
    store_connection(replace(connection_spec, credentials={"api_key": "k-1"}), account=account)

    store_connection(replace(connection_spec, authorization=Bearer(token="t-1")), account=account)

    assert Connection.objects.get().secrets == {"token": "t-1"}


def test_two_accounts_may_have_connections_of_the_same_name(
    account: Account, connection: Connection, connection_spec: ConnectionSpec
) -> None:
    other = Account.objects.create(name="Other", slug="other")

    assert store_connection(connection_spec, account=other).pk != connection.pk
    assert Connection.objects.count() == 2


def test_an_invalid_spec_changes_no_row(
    account: Account, connection: Connection, connection_spec: ConnectionSpec
) -> None:
    before = read_rows()
    invalid = replace(
        connection_spec,
        document='{"a": "{{ emial }}"}',
        endpoints={"production": "https://a.example/"},
    )

    with pytest.raises(ValidationError):
        store_connection(invalid, account=account)

    assert read_rows() == before
