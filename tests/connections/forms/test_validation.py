"""Tests of the validation in the forms of endpoints and rules."""

from __future__ import annotations

import pytest
from django.test import Client

from connections.forms import RuleForm, make_endpoint_form
from connections.models import Connection, Endpoint, ResponseRule
from tests.connections.pages.helpers import change_form, change_url

pytestmark = pytest.mark.usefixtures("unmanifested_static")


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        (
            {"status": "soon"},
            {"status": ['"soon" is no status; write 201, 2xx, 400-499, or several with commas.']},
        ),
        ({"status": ""}, {"status": ["A rule needs a status, a condition, or both."]}),
        ({"operator": "exists"}, {"operator": ["Has no meaning without where."]}),
        (
            {"outcome": ""},
            {"outcome": ["This field is required.", "Choose what the answer means."]},
        ),
    ],
)
def test_an_invalid_rule_form_shows_each_error_once(
    connection: Connection, fields: dict[str, str], errors: dict[str, list[str]]
) -> None:
    data = {"status": "400", "outcome": "rejected", **fields}

    assert RuleForm(data, instance=ResponseRule(connection=connection)).errors == errors


def test_an_invalid_endpoint_form_shows_the_error_once(connection: Connection) -> None:
    data = {"environment": "staging", "url": "crm.example"}

    form = make_endpoint_form()(data, instance=Endpoint(connection=connection))

    assert form.errors == {"url": ["Must be a whole URL that starts with https:// or http://."]}


@pytest.mark.parametrize(
    "fields",
    [
        {"document": '{"a": "{{ emial }}"}'},
        {"reason_path": "[["},
        {"endpoints-0-url": "ftp://crm.example"},
        {"endpoints-2-url": "https://{{ email }}/"},
        {"response_rules-0-status": "soon"},
        {"response_rules-2-where": "json", "response_rules-2-outcome": "rejected"},
    ],
    ids=str,
)
def test_a_page_with_an_invalid_value_saves_nothing(
    admin_client: Client, connection: Connection, fields: dict[str, str]
) -> None:
    def rows() -> list[object]:
        models = (Connection, Endpoint, ResponseRule)
        return [list(model.objects.order_by("pk").values()) for model in models]

    before = rows()
    form = change_form(admin_client, connection) | {name: [value] for name, value in fields.items()}

    response = admin_client.post(change_url(connection), form)

    assert response.status_code == 200
    assert rows() == before
