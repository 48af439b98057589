"""The eight requirements of a connection: what counts as there, and what is said to be missing."""

from __future__ import annotations

from dataclasses import replace

from connections.checklist import requirements
from connections.core.response.outcomes import Outcome
from connections.core.spec import ConnectionSpec, ExpectedResponse
from connections.mapping.draft import Draft, saved_draft
from connections.mapping.to_rows import store_connection
from connections.models import Account, Connection, Endpoint, TechnicalContact
from connections.preview import make_preview

TITLES = [
    "API documentation", "Technical contact", "Endpoints", "Method", "Authentication",
    "Request body encoding", "Required parameters", "Expected responses",
]  # fmt: skip


def unmet(draft: Draft) -> list[str]:
    return [one.title for one in make_preview(draft).requirements if not one.is_met]


def note(draft: Draft, title: str) -> str:
    return next(one.note for one in make_preview(draft).requirements if one.title == title)


def test_the_requirements_are_the_eight_of_the_setup_page() -> None:
    assert [one.title for one in requirements(Draft(connection=Connection()))] == TITLES


def test_of_an_empty_connection_all_but_method_and_authentication_is_missing() -> None:
    assert unmet(Draft(connection=Connection())) == [
        title for title in TITLES if title not in ("Method", "Authentication")
    ]


def test_a_connection_with_everything_misses_nothing(
    account: Account, described: ConnectionSpec
) -> None:
    expected = ExpectedResponse(
        name="Created", status=200, body='{"id": 1}', outcome=Outcome("delivered")
    )
    spec = replace(described, documentation="https://docs.example", expected_responses=(expected,))
    connection = store_connection(spec, account=account)
    TechnicalContact.objects.create(connection=connection, name="Jo", email="jo@example.com")
    assert unmet(saved_draft(connection)) == []


def test_a_missing_password_is_named(connection: Connection) -> None:
    connection.secrets = {}
    draft = saved_draft(connection)
    assert "Authentication" in unmet(draft)
    assert note(draft, "Authentication") == "Password missing."


def test_credentials_of_every_environment_make_up_for_missing_common_ones(
    connection: Connection,
) -> None:
    connection.secrets = {}
    for endpoint in connection.endpoints.all():
        endpoint.secrets = {"password": "own"}
        endpoint.save()
    assert "Authentication" not in unmet(saved_draft(connection))


def test_a_connection_without_credentials_needs_none(connection: Connection) -> None:
    connection.authorization_kind = "none"
    assert "Authentication" not in unmet(saved_draft(connection))


def test_production_alone_is_enough_but_worth_a_word(connection: Connection) -> None:
    Endpoint.objects.exclude(environment="production").delete()
    draft = saved_draft(connection)
    assert "Endpoints" not in unmet(draft)
    assert note(draft, "Endpoints") == "Production only: tests would reach the live CRM."


def test_misread_answers_are_counted(account: Account, described: ConnectionSpec) -> None:
    wrong = ExpectedResponse(name="Twice", status=409, body="", outcome=Outcome.DUPLICATE)
    connection = store_connection(replace(described, expected_responses=(wrong,)), account=account)
    draft = saved_draft(connection)
    assert note(draft, "Expected responses") == "1 of 1 would be misread."
    assert "Expected responses" in unmet(draft)


def test_a_method_without_a_body_needs_no_body(connection: Connection) -> None:
    connection.method, connection.document = "DELETE", ""
    assert "Request body encoding" not in unmet(saved_draft(connection))
