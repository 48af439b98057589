"""Tests of which fields of the connection's page make a tested connection untested."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.test import Client
from django.utils import timezone

from connections.core.request.authorization.base import Authorization
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from connections.core.request.authorization.signature import Signature
from connections.core.request.authorization.static import ApiKey, Basic, Bearer
from connections.core.response.outcomes import Outcome
from connections.core.spec import ConnectionSpec, DocumentedResponse
from connections.mapping.to_rows import store_connection
from connections.models import Account, Connection, ConnectionTest, Endpoint, TechnicalContact
from tests.connections.pages.helpers import change_form, change_url

pytestmark = pytest.mark.usefixtures("unmanifested_static")

KINDS: dict[str, Authorization] = {
    authorization.kind: authorization
    for authorization in (
        OAuth2ClientCredentials(
            token_url="https://crm.example/t", client_id="a", client_secret="b"
        ),
        Signature(secret="a"),
        Basic(username="a", password="b"),
        ApiKey(name="X-Key", key="a"),
        Bearer(token="a"),
    )
}

MAKES_UNTESTED: tuple[dict[str, str], ...] = (
    {"method": "PUT"},
    {"authorization_kind": "none"},
    {"oauth2_client_credentials__token_url": "https://crm.example/other"},
    {"oauth2_client_credentials__client_id": "other"},
    {"oauth2_client_credentials__client_secret": "other"},
    {"oauth2_client_credentials__scope": "leads"},
    {"oauth2_client_credentials__audience": "https://crm.example"},
    {"oauth2_client_credentials__extra": "a=b"},
    {"oauth2_client_credentials__client_authentication": "body"},
    {"signature__scheme": "standard_webhooks"},
    {"signature__secret": "other"},
    {"signature__header": "X-Other"},
    {"signature__algorithm": "sha512"},
    {"signature__encoding": "base64"},
    {"signature__prefix": "sha256="},
    {"basic__username": "other"},
    {"basic__password": "other"},
    {"api_key__location": "query"},
    {"api_key__name": "X-Other"},
    {"api_key__prefix": "Token "},
    {"api_key__key": "other"},
    {"bearer__token": "other"},
    {"credentials__name": "api_key", "credentials__value": "a key"},
    {"headers__name": "Accept", "headers__value": "text/plain"},
    {"content_type": "application/vnd.crm+json"},
    {"idempotency_header": "X-Request-Id"},
    {"encoding": "text"},
    {"empty_values": "null"},
    {"document": "{}"},
    {"required_attributes": "mobile"},
    {"reason_path": "title"},
    {"reference_path": "web_id"},
    {"wait_where": "json", "wait_path": "wait"},
    {"wait_where": "header", "wait_path": "X-Wait"},
    {"wait_unit": "epoch"},
    {"test_environment": "production"},
    {"expected_test_outcome": "duplicate"},
    {"sample_attributes__age": "31"},
    {"sample_attributes__first_name__omit": "1"},
    {"limit_total_timeout": "7"},
    {"limit_in_flight": "3"},
    {"limit_per_second": "5"},
    {"limit_max_age": "3600"},
    {"limit_schedule": "0, 5"},
    {"on_unknown": "hold"},
    {"endpoints-1-url": "https://crm.example/"},
    {"endpoints-2-url": "https://crm.example/"},
    {"endpoints-0-environment": "staging"},
    {"endpoints-1-oauth2_client_credentials__token_url": "https://crm.example/other"},
    {"endpoints-1-oauth2_client_credentials__client_id": "other"},
    {"endpoints-1-oauth2_client_credentials__client_secret": "other"},
    {"endpoints-1-oauth2_client_credentials__scope": "leads"},
    {"endpoints-1-oauth2_client_credentials__audience": "https://crm.example"},
    {"endpoints-1-oauth2_client_credentials__extra": "a=b"},
    {"endpoints-1-signature__secret": "other"},
    {"endpoints-1-signature__header": "X-Other"},
    {"endpoints-1-signature__prefix": "sha256="},
    {"endpoints-1-basic__username": "other"},
    {"endpoints-1-basic__password": "other"},
    {"endpoints-1-api_key__name": "X-Other"},
    {"endpoints-1-api_key__prefix": "Token "},
    {"endpoints-1-api_key__key": "other"},
    {"endpoints-1-bearer__token": "other"},
    {"endpoints-1-credentials__name": "api_key", "endpoints-1-credentials__value": "a key"},
    {"endpoints-0-use_common_credentials": "on"},
    {"endpoints-0-url": ""},
    {"response_rules-0-position": "3"},
    {"response_rules-0-status": "409"},
    {"response_rules-0-where": "text", "response_rules-0-path": ""},
    {"response_rules-0-path": "detail"},
    {"response_rules-0-operator": "contains"},
    {"response_rules-0-value": "Member"},
    {"response_rules-0-ignore_case": "on"},
    {"response_rules-0-outcome": "rejected"},
    {"response_rules-0-DELETE": "on"},
    {"response_rules-2-status": "422", "response_rules-2-outcome": "rejected"},
    {"expected_responses-0-name": "Created"},
    {"expected_responses-0-status": "202"},
    {"expected_responses-0-outcome": "duplicate"},
    {"expected_responses-0-headers__name": "A", "expected_responses-0-headers__value": "b"},
    {"expected_responses-0-body": "{}"},
    {"expected_responses-0-DELETE": "on"},
    {"expected_responses-1-name": "New", "expected_responses-1-outcome": "delivered"},
)

LEAVES_TESTED: tuple[dict[str, str], ...] = (
    {"name": "Another name"},
    {"documentation": "https://docs.crm.example/"},
    {"technical_contacts-0-name": "Al"},
    {"technical_contacts-0-role": "Support"},
    {"technical_contacts-0-email": "al@crm.example"},
    {"technical_contacts-0-phone": "+491234567"},
    {"technical_contacts-0-DELETE": "on"},
)

_IGNORED_FIELDS = re.compile(
    r"_save|_test|from|robots|viewport|csrfmiddlewaretoken"
    r"|\w+-(?:\w+_FORMS|id|connection)"
)
_KIND = re.compile(r"(?:endpoints-\d-)?(\w+?)__")


@pytest.fixture
def spec(connection_spec: ConnectionSpec) -> ConnectionSpec:
    """Return a connection with one documented response."""
    created = DocumentedResponse(
        name="OK", status=200, body='{"id": "a"}', outcome=Outcome.DELIVERED
    )
    return replace(connection_spec, expected_responses=(created,))


def store_tested(spec: ConnectionSpec, account: Account) -> Connection:
    """Store the connection, its technical contact, and a good test of it."""
    connection = store_connection(spec, account=account)
    Endpoint.objects.filter(connection=connection, environment="production").update(
        secrets={"password": "of production"}
    )
    TechnicalContact.objects.create(connection=connection, name="Jo", email="jo@crm.example")
    connection.refresh_from_db()
    ConnectionTest.objects.create(
        connection=connection, environment="testing", outcome="delivered", is_good=True,
        started_at=timezone.now(), duration_ms=1, connection_changed_at=connection.changed_at,
    )  # fmt: skip
    assert is_tested()
    return connection


def is_tested() -> bool:
    return Connection.objects.tested().exists()


def save(browser: Client, connection: Connection, changes: dict[str, str]) -> None:
    """Save the connection's page with these changes."""
    form = change_form(browser, connection) | {name: [text] for name, text in changes.items()}
    initial, rows = "expected_responses-INITIAL_FORMS", "expected_responses-TOTAL_FORMS"
    if any(name.startswith("expected_responses-1-") for name in changes):
        form |= {rows: ["2"], initial: ["1"]}
    response = browser.post(change_url(connection), form)
    assert response.status_code == 302, response.context["errors"]


@pytest.mark.parametrize("changes", MAKES_UNTESTED, ids=" ".join)
def test_a_changed_request_or_response_makes_the_connection_untested(
    admin_client: Client, account: Account, spec: ConnectionSpec, changes: dict[str, str]
) -> None:
    found = _KIND.match(next(iter(changes)))
    if found and found[1] in KINDS:
        spec = replace(spec, authorization=KINDS[found[1]])
    connection = store_tested(spec, account)

    save(admin_client, connection, changes)

    assert not is_tested()


@pytest.mark.parametrize("changes", LEAVES_TESTED, ids=" ".join)
def test_a_changed_name_or_contact_leaves_the_connection_tested(
    admin_client: Client, account: Account, spec: ConnectionSpec, changes: dict[str, str]
) -> None:
    connection = store_tested(spec, account)

    save(admin_client, connection, changes)

    assert is_tested()


def test_saving_the_unchanged_page_leaves_the_connection_tested(
    admin_client: Client, account: Account, spec: ConnectionSpec
) -> None:
    connection = store_tested(spec, account)

    save(admin_client, connection, {})

    assert is_tested()


def test_every_field_of_the_page_is_in_a_table_of_this_test(
    admin_client: Client, account: Account, spec: ConnectionSpec
) -> None:
    connection = store_tested(spec, account)
    html = admin_client.get(change_url(connection)).content.decode()
    names = {field_name(name) for name in re.findall(r'\sname="([^"]+)"', html)}

    rows = {field_name(name) for row in (*MAKES_UNTESTED, *LEAVES_TESTED) for name in row}

    assert rows == {name for name in names if not _IGNORED_FIELDS.fullmatch(name)}


def field_name(name: str) -> str:
    """Return the name without the number of its row; all samples are one field."""
    without_number = re.sub(r"-(\d+|__prefix__)-", "-", name)
    return re.sub(r"^sample_attributes__.*", "sample_attributes", without_number)
