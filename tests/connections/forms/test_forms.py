"""The connection's form: a field for each setting of each kind, and secrets never come back."""

from __future__ import annotations

from typing import Any

import pytest
from django.forms import ModelForm, PasswordInput, modelform_factory

from connections.core.request.authorization import authorizations
from connections.forms import authorization_field_names, make_connection_form
from connections.forms.tabs import tabs
from connections.models import Connection


def form_class() -> type[ModelForm[Connection]]:
    """The form with the fields that the page has."""
    shown = [name for tab in tabs() for name in tab.fields]
    columns = [field.name for field in Connection._meta.fields if field.name in shown]
    return modelform_factory(Connection, form=make_connection_form(), fields=columns)


def bound(connection: Connection, **changes: Any) -> Any:
    """The form as it comes from a page on which these fields were changed."""
    unbound = form_class()(instance=connection)
    data = {
        name: field.prepare_value(unbound.get_initial_for_field(field, name))
        for name, field in unbound.fields.items()
        if not isinstance(field.widget, PasswordInput)
    }
    headers = dict(connection.headers)
    data |= {
        "headers__name": list(headers),
        "headers__value": list(headers.values()),
        "account": connection.account_id,
    }
    given = {name: value for name, value in data.items() if value is not None}
    return form_class()(given | changes, instance=connection)


def test_every_setting_of_every_kind_has_a_field() -> None:
    form = form_class()()

    names = [f"{kind.kind}__{one.name}" for kind in authorizations for one in kind.settings()]
    assert authorization_field_names() == names
    assert [name for name in names if name not in form.fields] == []
    for kind in authorizations:
        for setting in kind.settings():
            field = form.fields[f"{kind.kind}__{setting.name}"]
            assert field.label == setting.label
            assert isinstance(field.widget, PasswordInput) is setting.is_secret


def test_a_form_without_a_change_saves_what_was_there(connection: Connection) -> None:
    before = Connection.objects.values().get()
    form = bound(connection)

    assert form.is_valid(), form.errors
    form.save()

    after = Connection.objects.values().get()
    assert {**after, "changed_at": before["changed_at"]} == before


def test_a_secret_is_never_written_into_the_page(connection: Connection) -> None:
    connection.secrets |= {"credentials.api_key": "k-12345"}
    connection.save()

    page = str(form_class()(instance=connection))
    again = str(bound(connection, basic__password="typed-just-now", name=""))

    for text in ("demo-key", "k-12345", "typed-just-now"):
        assert text not in page + again
    assert "api_key" in page
    assert "Saved. Leave empty to keep it." in page


def test_an_empty_secret_keeps_the_saved_one_and_another_replaces_it(
    connection: Connection,
) -> None:
    kept = bound(connection, basic__username="somebody", basic__password="")
    assert kept.is_valid(), kept.errors
    kept.save()
    saved = Connection.objects.get()
    assert saved.secrets == {"password": "demo-key"}
    assert saved.authorization_settings == {"username": "somebody"}

    changed = bound(saved, basic__password=" new ")
    assert changed.is_valid(), changed.errors
    changed.save()
    assert Connection.objects.get().secrets == {"password": " new "}


def test_another_kind_needs_its_own_secret(connection: Connection) -> None:
    form = bound(connection, authorization_kind="bearer")

    assert not form.is_valid()
    assert form.errors == {"bearer__token": ["Token is needed."]}

    given = bound(connection, authorization_kind="bearer", bearer__token="t-1")
    assert given.is_valid(), given.errors
    given.save()
    saved = Connection.objects.get()
    assert (saved.authorization_kind, saved.secrets) == ("bearer", {"token": "t-1"})


def test_a_kind_that_there_is_not_is_an_error_at_its_field(connection: Connection) -> None:
    form = bound(connection, authorization_kind="magic")

    assert not form.is_valid()
    assert list(form.errors) == ["authorization_kind"]
    assert Connection.objects.get().authorization_kind == "basic"


def test_named_credentials_are_added_replaced_and_taken_away(connection: Connection) -> None:
    connection.secrets |= {"credentials.one": "1", "credentials.two": "2"}
    connection.save()

    form = bound(
        connection,
        credentials__name=["two", "three", "four"],
        credentials__value=["new", "3", ""],
        credentials__forget=["one"],
    )
    assert form.is_valid(), form.errors
    form.save()

    assert Connection.objects.get().secrets == {
        "password": "demo-key",
        "credentials.two": "new",
        "credentials.three": "3",
    }


WRONG = [
    ({"document": '{"a": {{ email }}}'}, "document"),
    ({"document": '{"a": "{{ emial }}"}'}, "document"),
    ({"headers__name": ["Host"], "headers__value": ["evil"]}, "headers"),
    ({"headers__name": ["X", "x"], "headers__value": ["1", "2"]}, "headers"),
    ({"headers__name": [""], "headers__value": ["lonely"]}, "headers"),
    ({"credentials__name": ["two words"], "credentials__value": ["1"]}, "credentials"),
    ({"required_attributes": ["emial"]}, "required_attributes"),
    ({"sample_attributes__age": "old"}, "sample_attributes"),
    ({"limit_schedule": "soon"}, "limit_schedule"),
    ({"limit_in_flight": "0"}, "limit_in_flight"),
    ({"reason_path": "[["}, "reason_path"),
    ({"name": ""}, "name"),
    ({"documentation": "nowhere"}, "documentation"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_what_is_wrong_is_said_at_its_field(
    connection: Connection, changes: dict[str, Any], field: str
) -> None:
    before = Connection.objects.values().get()
    form = bound(connection, **changes)

    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert Connection.objects.values().get() == before


def test_documentation_without_a_scheme_is_taken_for_https(connection: Connection) -> None:
    form = bound(connection, documentation="crm.example/docs")

    assert form.is_valid(), form.errors
    assert form.cleaned_data["documentation"] == "https://crm.example/docs"
