"""Tests of the checklist of a connection."""

from __future__ import annotations

from dataclasses import replace

from connections.checklist import build_checklist
from connections.core.response.outcomes import Outcome
from connections.core.spec import ConnectionSpec, DocumentedResponse
from connections.mapping.draft import Draft, saved_draft
from connections.mapping.to_rows import store_connection
from connections.models import Account, Connection, Endpoint, TechnicalContact
from connections.preview import make_preview

TITLES = [
    "API documentation", "Technical contact", "Endpoints", "Method", "Authentication",
    "Request body encoding", "Required parameters", "Expected responses",
]  # fmt: skip


def unmet_titles(draft: Draft) -> list[str]:
    return [
        requirement.title
        for requirement in make_preview(draft).requirements
        if not requirement.is_met
    ]


def read_note(draft: Draft, title: str) -> str:
    return next(
        requirement.note
        for requirement in make_preview(draft).requirements
        if requirement.title == title
    )


def test_the_checklist_has_eight_requirements() -> None:
    assert [
        requirement.title for requirement in build_checklist(Draft(connection=Connection()))
    ] == TITLES


def test_an_empty_connection_misses_all_but_method_and_authentication() -> None:
    assert unmet_titles(Draft(connection=Connection())) == [
        title for title in TITLES if title not in ("Method", "Authentication")
    ]


def test_a_connection_with_everything_misses_nothing(
    account: Account, connection_spec: ConnectionSpec
) -> None:
    expected = DocumentedResponse(
        name="Created", status=200, body='{"id": 1}', outcome=Outcome("delivered")
    )
    spec = replace(
        connection_spec, documentation="https://docs.example", expected_responses=(expected,)
    )
    connection = store_connection(spec, account=account)
    TechnicalContact.objects.create(connection=connection, name="Jo", email="jo@example.com")
    assert unmet_titles(saved_draft(connection)) == []


def test_a_missing_password_is_named(connection: Connection) -> None:
    connection.secrets = {}
    draft = saved_draft(connection)
    assert "Authentication" in unmet_titles(draft)
    assert read_note(draft, "Authentication") == "Password missing."


def test_credentials_of_every_environment_replace_common_ones(
    connection: Connection,
) -> None:
    connection.secrets = {}
    for endpoint in connection.endpoints.all():
        endpoint.secrets = {"password": "own"}
        endpoint.save()
    assert "Authentication" not in unmet_titles(saved_draft(connection))


def test_a_connection_without_credentials_needs_none(connection: Connection) -> None:
    connection.authorization_kind = "none"
    assert "Authentication" not in unmet_titles(saved_draft(connection))


def test_a_production_endpoint_alone_is_enough_and_gets_a_note(connection: Connection) -> None:
    Endpoint.objects.exclude(environment="production").delete()
    draft = saved_draft(connection)
    assert "Endpoints" not in unmet_titles(draft)
    assert read_note(draft, "Endpoints") == "Production only: tests would reach the live CRM."


def test_misread_responses_are_counted(account: Account, connection_spec: ConnectionSpec) -> None:
    misread = DocumentedResponse(name="Twice", status=409, body="", outcome=Outcome.DUPLICATE)
    connection = store_connection(
        replace(connection_spec, expected_responses=(misread,)), account=account
    )
    draft = saved_draft(connection)
    assert read_note(draft, "Expected responses") == "1 of 1 would be misread."
    assert "Expected responses" in unmet_titles(draft)


def test_a_method_without_a_body_needs_no_body(connection: Connection) -> None:
    connection.method, connection.document = "DELETE", ""
    assert "Request body encoding" not in unmet_titles(saved_draft(connection))
