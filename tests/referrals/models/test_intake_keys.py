"""Tests of intake keys."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.db import IntegrityError
from django.http import HttpRequest

from connections.models import Account
from referrals.api.auth import IntakeKeyBearer
from referrals.models import IntakeKey
from referrals.models.intake_keys import digest, issue_key, make_token


def test_a_token_is_long_and_unique() -> None:
    tokens = {make_token() for _ in range(50)}

    assert len(tokens) == 50
    assert all(re.fullmatch(r"rk_[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_the_stored_columns_of_a_key_authenticate_nobody(account: Account) -> None:
    token = issue_key(IntakeKey(account=account, name="Website"))

    row = IntakeKey.objects.values().get()
    assert token not in map(str, row.values())
    assert row["start"] == token[:8]
    assert row["digest"] == digest(token) == hashlib.sha256(token.encode()).hexdigest()
    assert str(IntakeKey.objects.get()) == f"Website ({token[:8]}…)"
    for text in (row["digest"], row["start"], token.upper(), f"{token} ", ""):
        assert IntakeKeyBearer().authenticate(HttpRequest(), text) is None


def test_two_keys_cannot_have_the_same_digest(account: Account) -> None:
    issue_key(IntakeKey(account=account, name="Website"))

    with pytest.raises(IntegrityError):
        IntakeKey.objects.create(
            account=account, name="Copy", digest=IntakeKey.objects.get().digest
        )
