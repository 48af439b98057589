"""From a connection's value to its rows and back: exact, idempotent, and credentials stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

import connections
from connections.core.request.authorization.static import Basic, Bearer
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import ResponseHandling, Rule
from connections.core.spec import ConnectionSpec, ExpectedResponse, Limits, OnUnknown
from connections.importers.files import dump_connection, load_connection
from connections.mapping.to_rows import store_connection
from connections.models import Account, Connection, ConnectionTest, Endpoint, ResponseRule
from connections.models import ExpectedResponse as ExpectedResponseRow

PRESETS = sorted((Path(connections.__file__).parent / "importers/presets").glob("*.toml"))


def rows() -> list[list[dict[str, Any]]]:
    """Everything that is stored of connections, credentials decrypted."""
    models: tuple[Any, ...] = (Connection, Endpoint, ResponseRule, ExpectedResponseRow)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def in_one_order(spec: ConnectionSpec) -> ConnectionSpec:
    """PostgreSQL keeps the names of a JSON object in an order of its own."""
    expected = tuple(
        replace(one, headers=tuple(sorted(one.headers))) for one in spec.expected_responses
    )
    return replace(spec, expected_responses=expected)


def test_there_are_thirteen_presets() -> None:
    assert len(PRESETS) == 13


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.stem)
def test_a_preset_is_stored_whole_and_comes_back_as_the_same_file(
    account: Account, file: Path
) -> None:
    spec = load_connection(file.read_text())

    row = store_connection(spec, account=account)

    stored = Connection.objects.with_everything().get().spec()
    assert row.account == account
    assert in_one_order(stored) == in_one_order(spec)
    dumped = dump_connection(stored)
    assert "test-" not in dumped
    again = load_connection(dumped, lambda name: f"dumped-{name}")
    store_connection(again, account=account)
    assert Connection.objects.get().spec() == again
    assert dump_connection(again) == dumped
    assert load_connection(dumped) == replace(
        stored, authorization=load_connection(dumped).authorization,
        credentials=load_connection(dumped).credentials,
    )  # fmt: skip


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.stem)
def test_storing_the_same_twice_changes_nothing(account: Account, file: Path) -> None:
    spec = load_connection(file.read_text())
    first, before = store_connection(spec, account=account), rows()

    assert store_connection(spec, account=account) == first
    assert rows() == before


def test_every_setting_is_stored(account: Account, described: ConnectionSpec) -> None:
    full = replace(
        described,
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
        reading=ResponseHandling(
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
            ExpectedResponse(name="Busy", status=429, headers=(("X-Wait", "1"),), body="x\n",
                             outcome=Outcome.THROTTLED),
        ),
    )  # fmt: skip

    store_connection(full, account=account)

    assert Connection.objects.get().spec() == full


def test_storing_replaces_what_was_there(
    account: Account, connection: Connection, described: ConnectionSpec
) -> None:
    changed = replace(
        described,
        endpoints={"production": "https://crm.example/new"},
        reading=ResponseHandling(rules=(Rule(outcome=Outcome.DELIVERED, status="2xx"),)),
    )

    assert store_connection(changed, account=account).pk == connection.pk

    assert Connection.objects.get().spec() == changed
    assert (Endpoint.objects.count(), ResponseRule.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"endpoints": {"production": "https://crm.example/new"}},
        {"reading": ResponseHandling()},
        {"expected_responses": (ExpectedResponse(name="A", status=200, outcome=Outcome.INVALID),)},
    ],
)
def test_a_test_from_before_the_description_changed_counts_no_more(
    account: Account, connection: Connection, described: ConnectionSpec, change: dict[str, Any]
) -> None:
    ConnectionTest.objects.create(
        connection=connection, environment="testing", outcome="delivered", is_good=True,
        started_at=timezone.now(), connection_changed_at=connection.changed_at,
    )  # fmt: skip
    store_connection(described, account=account)
    assert Connection.objects.tested().get() == connection

    store_connection(replace(described, **change), account=account)

    assert not Connection.objects.tested().exists()


def test_what_people_have_set_stays(
    account: Account, connection: Connection, described: ConnectionSpec
) -> None:
    Connection.objects.update(state="held", state_reason="Refused", test_environment="staging")

    store_connection(replace(described, method="PUT"), account=account)

    kept = Connection.objects.get()
    assert (kept.state, kept.state_reason, kept.test_environment) == ("held", "Refused", "staging")


def test_a_credential_that_is_left_empty_stays(account: Account, described: ConnectionSpec) -> None:
    named = replace(described, credentials={"api_key": "k-1", "other": "k-2"})
    store_connection(named, account=account)
    Endpoint.objects.filter(environment="testing").update(secrets={"password": "for tests"})

    empty = Basic(username="somebody", password="")
    store_connection(
        replace(named, authorization=empty, credentials={"api_key": "", "other": "new"}),
        account=account,
    )

    connection = Connection.objects.get()
    assert connection.spec().authorization == Basic(username="somebody", password="demo-key")
    assert connection.spec().credentials == {"api_key": "k-1", "other": "new"}
    assert connection.spec("testing").authorization.secrets() == {"password": "for tests"}


def test_a_credential_that_is_no_longer_named_is_forgotten(
    account: Account, described: ConnectionSpec
) -> None:
    store_connection(replace(described, credentials={"api_key": "k-1"}), account=account)

    store_connection(replace(described, authorization=Bearer(token="t-1")), account=account)

    assert Connection.objects.get().secrets == {"token": "t-1"}


def test_an_account_has_its_own_connection_of_a_name(
    account: Account, connection: Connection, described: ConnectionSpec
) -> None:
    other = Account.objects.create(name="Other", slug="other")

    assert store_connection(described, account=other).pk != connection.pk
    assert Connection.objects.count() == 2


def test_what_can_not_be_stored_leaves_everything_as_it_was(
    account: Account, connection: Connection, described: ConnectionSpec
) -> None:
    before = rows()
    wrong = replace(
        described, document='{"a": "{{ emial }}"}', endpoints={"production": "https://a.example/"}
    )

    with pytest.raises(ValidationError):
        store_connection(wrong, account=account)

    assert rows() == before
