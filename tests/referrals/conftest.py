"""Fixtures for the tests of referrals: a process that was not told to stop, and an intake key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from config import shutdown
from config.queue import job_queue
from connections.models import Account, Campaign
from referrals.delivery import pump
from referrals.delivery.pump import finish_in_flight
from referrals.models import IntakeKey
from referrals.models.intake_keys import issue_key
from tests.referrals.factories import Door


@pytest.fixture(autouse=True)
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test may tell the process to stop; the next one begins anew, with nothing under way."""
    monkeypatch.setattr(shutdown, "_requested", False)
    yield
    finish_in_flight()
    job_queue._queue.cache_clear()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch, settings: Any, db: None) -> None:
    """A slice leaves nothing behind, so that all of it stays in the test's own transaction."""
    monkeypatch.setattr(pump, "_IDLE_SECONDS", 60.0)
    settings.DELIVERY_SLICE_SECONDS = 60


@pytest.fixture
def intake_key(account: Account) -> str:
    return issue_key(IntakeKey(account=account, name="Website"))


@pytest.fixture
def door(client: Client, intake_key: str, campaign: Campaign) -> Door:
    return Door(client, intake_key)
