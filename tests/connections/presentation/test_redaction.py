"""Tests of the redaction of tests for users."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import AnonymousUser, User

from connections.models import Account, Connection, ConnectionTest
from connections.operations.connection_tests import send_test
from connections.presentation.exchange import ExchangeView
from connections.presentation.redaction import build_redaction, build_test_redaction
from tests.users import create_user

EMAIL = "jo.sommer@example.com"


@pytest.fixture
def reporter(account: Account) -> User:
    return create_user("Rob", account, role="Reporter")


@pytest.fixture
def tested(connection: Connection) -> ConnectionTest:
    """Send a test whose request contains an HMAC of the address, which cannot be guessed."""
    Connection.objects.update(document='{"h": "{{ email | hmac_sha256: \'key\' }}"}')
    connection.endpoints.exclude(environment="testing").delete()
    return send_test(Connection.objects.get(), attributes={"email": EMAIL})


def test_a_user_who_may_change_the_connection_sees_personal_data(
    reporter: User, tested: ConnectionTest
) -> None:
    assert build_test_redaction(tested, reporter, can_change=True) is None


def test_a_user_with_the_permission_sees_personal_data(
    account: Account, tested: ConnectionTest
) -> None:
    user = create_user("Sue", account, role="Reporter", sees_customers=True)
    assert build_test_redaction(tested, user, can_change=False) is None


@pytest.mark.parametrize("user_name", ["reporter", "anonymous"])
def test_a_user_without_the_permission_sees_neither_personal_nor_derived_values(
    user_name: str, reporter: User, tested: ConnectionTest
) -> None:
    user = reporter if user_name == "reporter" else AnonymousUser()
    redaction = build_test_redaction(tested, user, can_change=False)
    assert redaction
    assert not redaction.hides_request(tested)
    request = ExchangeView.from_record(tested, redaction).request
    assert request
    assert request.curl.endswith("""--data-raw '{"h": "••••"}'""")


def test_a_request_is_hidden_once_the_connection_changed(
    reporter: User, tested: ConnectionTest
) -> None:
    connection = Connection.objects.get()
    connection.document = "{}"
    connection.save()
    redaction = build_test_redaction(tested, reporter, can_change=False)
    assert redaction
    assert redaction.hides_request(tested)


def test_a_request_is_hidden_if_the_credentials_cannot_be_decrypted(
    reporter: User, tested: ConnectionTest, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    redaction = build_test_redaction(tested, reporter, can_change=False)
    assert redaction
    assert redaction.hides_request(tested)
    assert redaction.mask.in_text(EMAIL) == "••••"


def test_common_hashes_of_an_address_are_hidden(reporter: User, connection: Connection) -> None:
    redaction = build_redaction(reporter, connection_id=connection.pk, attributes={"email": EMAIL})
    assert redaction
    assert redaction.mask.in_text(hashlib.sha256(EMAIL.encode()).hexdigest()) == "••••"
