"""Tests of the encrypted credentials in the database."""

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


def read_stored(table: str = "connections_connection") -> str:
    """Return the credentials of the table's only row as the database stores them."""
    with database.cursor() as cursor:
        cursor.execute(f"SELECT secrets FROM {table}")
        [(text,)] = cursor.fetchall()
    return str(text)


@pytest.fixture
def connection_with_secrets(connection: Connection) -> Connection:
    Connection.objects.filter(pk=connection.pk).update(secrets=SECRETS)
    return Connection.objects.get()


def test_credentials_are_decrypted_when_they_are_read(connection_with_secrets: Connection) -> None:
    assert connection_with_secrets.secrets == SECRETS


def test_the_database_stores_credentials_encrypted(connection_with_secrets: Connection) -> None:
    text = read_stored()

    for part in ("s3cret", "Grüße", "k-123", "api_key", "password"):
        assert part not in text
    assert text.startswith("gAAAA")


def test_an_endpoint_has_credentials_of_its_own(connection: Connection) -> None:
    Endpoint.objects.exclude(environment="production").delete()
    Endpoint.objects.update(secrets={"password": "another"})

    assert Endpoint.objects.get().secrets == {"password": "another"}
    assert "another" not in read_stored("connections_endpoint")


def test_empty_credentials_are_stored_as_an_empty_text(connection_with_secrets: Connection) -> None:
    connection_with_secrets.secrets = {}
    connection_with_secrets.save()

    assert read_stored() == ""
    assert Connection.objects.get().secrets == {}


def test_the_same_credentials_are_encrypted_differently_each_time(
    connection_with_secrets: Connection,
) -> None:
    before = read_stored()
    connection_with_secrets.save()

    assert read_stored() != before
    assert Connection.objects.get().secrets == SECRETS


def test_a_new_key_encrypts_and_the_old_key_still_decrypts(
    connection_with_secrets: Connection, settings: Any
) -> None:
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]

    assert Connection.objects.get().secrets == SECRETS
    connection_with_secrets.save()
    settings.ENCRYPTION_KEYS = [new]
    assert Connection.objects.get().secrets == SECRETS


def test_a_missing_key_is_named_in_the_error(
    connection_with_secrets: Connection, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    found = Connection.objects.get()
    with pytest.raises(ImproperlyConfigured) as error:
        dict(found.secrets)

    assert str(error.value) == (
        "A credential was encrypted under a key that ENCRYPTION_KEYS does not hold. "
        "Add the key that was in use when it was saved."
    )


def test_saving_keeps_credentials_that_cannot_be_decrypted(
    connection_with_secrets: Connection, settings: Any
) -> None:
    before, keys = read_stored(), settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    Connection.objects.get().save()

    assert read_stored() == before
    settings.ENCRYPTION_KEYS = keys
    assert Connection.objects.get().secrets == SECRETS


@pytest.mark.parametrize("damaged", ["", "gAAAAA", "no token at all"])
def test_a_text_that_was_not_encrypted_is_refused(damaged: str) -> None:
    assert decrypt(encrypt("text")) == "text"
    with pytest.raises(ImproperlyConfigured):
        decrypt(damaged)


def test_a_model_form_has_no_field_for_credentials() -> None:
    form = modelform_factory(Endpoint, fields="__all__")

    assert sorted(form.base_fields) == ["connection", "environment", "url"]
