"""Fixtures for the tests of referrals: a process that was not told to stop, and an intake key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connections.models import Account
from referrals import queue, stopping
from referrals.models import IntakeKey
from referrals.models.keys import issue_key
from referrals.pump import finish_under_way


@pytest.fixture(autouse=True)
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test may tell the process to stop; the next one begins anew, with nothing under way."""
    monkeypatch.setattr(stopping, "_requested", False)
    yield
    finish_under_way()
    queue._bell.cache_clear()


@pytest.fixture
def intake_key(account: Account) -> str:
    return issue_key(IntakeKey(account=account, name="Website"))
