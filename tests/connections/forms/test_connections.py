"""Tests of the connection's form."""

from __future__ import annotations

from typing import Any

import pytest
from django.forms import ModelForm, PasswordInput, modelform_factory

from connections.core.request.authorization import authorizations
from connections.forms import authorization_field_names, make_connection_form
from connections.forms.tabs import tabs
from connections.models import Connection


def form_class() -> type[ModelForm[Connection]]:
    """Return the form class with the fields of the page."""
    page_fields = [name for tab in tabs() for name in tab.fields]
    columns = [field.name for field in Connection._meta.fields if field.name in page_fields]
    return modelform_factory(Connection, form=make_connection_form(), fields=columns)


def submit(connection: Connection, **changes: Any) -> Any:
    """Return the form as a page submits it on which these fields were changed."""
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
    submitted = {name: value for name, value in data.items() if value is not None}
    return form_class()(submitted | changes, instance=connection)


def test_every_setting_of_every_kind_has_a_field() -> None:
    form = form_class()()

    names = [
        f"{kind.kind}__{setting.name}" for kind in authorizations for setting in kind.settings()
    ]
    assert authorization_field_names() == names
    assert [name for name in names if name not in form.fields] == []
    for kind in authorizations:
        for setting in kind.settings():
            field = form.fields[f"{kind.kind}__{setting.name}"]
            assert field.label == setting.label
            assert isinstance(field.widget, PasswordInput) is setting.is_secret


def test_an_unchanged_form_changes_no_column(connection: Connection) -> None:
    before = Connection.objects.values().get()
    form = submit(connection)

    assert form.is_valid(), form.errors
    form.save()

    after = Connection.objects.values().get()
    assert {**after, "changed_at": before["changed_at"]} == before


def test_a_secret_is_never_rendered(connection: Connection) -> None:
    connection.secrets |= {"credentials.api_key": "k-12345"}
    connection.save()

    page = str(form_class()(instance=connection))
    resubmitted = str(submit(connection, basic__password="typed-just-now", name=""))

    for text in ("demo-key", "k-12345", "typed-just-now"):
        assert text not in page + resubmitted
    assert "api_key" in page
    assert "Saved. Leave empty to keep it." in page


def test_an_empty_secret_keeps_the_saved_secret_and_a_new_one_replaces_it(
    connection: Connection,
) -> None:
    kept = submit(connection, basic__username="somebody", basic__password="")
    assert kept.is_valid(), kept.errors
    kept.save()
    saved = Connection.objects.get()
    assert saved.secrets == {"password": "demo-key"}
    assert saved.authorization_settings == {"username": "somebody"}

    changed = submit(saved, basic__password=" new ")
    assert changed.is_valid(), changed.errors
    changed.save()
    assert Connection.objects.get().secrets == {"password": " new "}


def test_another_authorization_kind_needs_its_own_secret(connection: Connection) -> None:
    form = submit(connection, authorization_kind="bearer")

    assert not form.is_valid()
    assert form.errors == {"bearer__token": ["Token is needed."]}

    completed = submit(connection, authorization_kind="bearer", bearer__token="t-1")
    assert completed.is_valid(), completed.errors
    completed.save()
    saved = Connection.objects.get()
    assert (saved.authorization_kind, saved.secrets) == ("bearer", {"token": "t-1"})


def test_an_unknown_authorization_kind_is_an_error_at_its_field(connection: Connection) -> None:
    form = submit(connection, authorization_kind="magic")

    assert not form.is_valid()
    assert list(form.errors) == ["authorization_kind"]
    assert Connection.objects.get().authorization_kind == "basic"


def test_named_credentials_are_added_replaced_and_removed(connection: Connection) -> None:
    connection.secrets |= {"credentials.one": "1", "credentials.two": "2"}
    connection.save()

    form = submit(
        connection,
        credentials__name=["two", "three", "four"],
        credentials__value=["new", "3", ""],
        credentials__remove=["one"],
    )
    assert form.is_valid(), form.errors
    form.save()

    assert Connection.objects.get().secrets == {
        "password": "demo-key",
        "credentials.two": "new",
        "credentials.three": "3",
    }


INVALID = [
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


@pytest.mark.parametrize(("changes", "field"), INVALID)
def test_an_invalid_value_is_an_error_at_its_field(
    connection: Connection, changes: dict[str, Any], field: str
) -> None:
    before = Connection.objects.values().get()
    form = submit(connection, **changes)

    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert Connection.objects.values().get() == before


def test_documentation_without_a_scheme_gets_https(connection: Connection) -> None:
    form = submit(connection, documentation="crm.example/docs")

    assert form.is_valid(), form.errors
    assert form.cleaned_data["documentation"] == "https://crm.example/docs"
