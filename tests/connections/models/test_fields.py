"""Credentials in the database: unreadable without the installation's keys, readable with any."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import connection as database
from django.forms import modelform_factory

from connections.encryption import decrypt, encrypt
from connections.models import Connection, Endpoint

SECRETS = {"password": "s3cret & Grüße", "credentials.api_key": "k-123"}


def stored(table: str = "connections_connection") -> str:
    """The one row's credentials as the database holds them."""
    with database.cursor() as cursor:
        cursor.execute(f"SELECT secrets FROM {table}")
        [(text,)] = cursor.fetchall()
    return str(text)


@pytest.fixture
def keyed(connection: Connection) -> Connection:
    Connection.objects.filter(pk=connection.pk).update(secrets=SECRETS)
    return Connection.objects.get()


def test_credentials_are_read_back_as_they_were_written(keyed: Connection) -> None:
    assert keyed.secrets == SECRETS


def test_the_database_holds_nothing_readable(keyed: Connection) -> None:
    text = stored()

    for part in ("s3cret", "Grüße", "k-123", "api_key", "password"):
        assert part not in text
    assert text.startswith("gAAAA")


def test_an_endpoint_has_credentials_of_its_own(connection: Connection) -> None:
    Endpoint.objects.exclude(environment="production").delete()
    Endpoint.objects.update(secrets={"password": "another"})

    assert Endpoint.objects.get().secrets == {"password": "another"}
    assert "another" not in stored("connections_endpoint")


def test_no_credentials_are_an_empty_text(keyed: Connection) -> None:
    keyed.secrets = {}
    keyed.save()

    assert stored() == ""
    assert Connection.objects.get().secrets == {}


def test_the_same_credentials_never_look_the_same(keyed: Connection) -> None:
    before = stored()
    keyed.save()

    assert stored() != before
    assert Connection.objects.get().secrets == SECRETS


def test_a_new_key_encrypts_and_the_old_one_still_decrypts(
    keyed: Connection, settings: Any
) -> None:
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]

    assert Connection.objects.get().secrets == SECRETS
    keyed.save()
    settings.ENCRYPTION_KEYS = [new]
    assert Connection.objects.get().secrets == SECRETS


def test_a_key_that_is_gone_is_named_as_the_cause(keyed: Connection, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    found = Connection.objects.get()
    with pytest.raises(ImproperlyConfigured) as error:
        dict(found.secrets)

    assert str(error.value) == (
        "A credential was encrypted under a key that ENCRYPTION_KEYS does not hold. "
        "Add the key that was in use when it was saved."
    )


def test_saving_keeps_what_can_not_be_decrypted(keyed: Connection, settings: Any) -> None:
    before, keys = stored(), settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    Connection.objects.get().save()

    assert stored() == before
    settings.ENCRYPTION_KEYS = keys
    assert Connection.objects.get().secrets == SECRETS


@pytest.mark.parametrize("damaged", ["", "gAAAAA", "no token at all"])
def test_what_was_never_encrypted_is_not_taken_for_a_credential(damaged: str) -> None:
    assert decrypt(encrypt("text")) == "text"
    with pytest.raises(ImproperlyConfigured):
        decrypt(damaged)


def test_no_form_ever_has_a_field_for_credentials() -> None:
    form = modelform_factory(Endpoint, fields="__all__")

    assert sorted(form.base_fields) == ["connection", "environment", "url"]
