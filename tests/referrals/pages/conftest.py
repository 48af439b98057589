"""Fixtures for the tests of the pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.models import Account
from tests.users import create_user, login_client


@pytest.fixture
def editor(account: Account) -> User:
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def browser(editor: User) -> Client:
    return login_client(editor)
