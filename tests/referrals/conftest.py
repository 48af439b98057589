"""Fixtures for the tests of referrals."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.queue import heartbeats
from connections.models import Account, Campaign
from referrals.delivery import pump
from referrals.models import IntakeKey
from referrals.models.intake_keys import issue_key
from tests.referrals.factories import IntakeClient
from tests.timing import scaled


@pytest.fixture
def unlimited_slice(monkeypatch: pytest.MonkeyPatch, settings: Any, db: None) -> None:
    """Let a slice finish everything, so that all of it stays in the test's own transaction."""
    monkeypatch.setattr(pump, "_IDLE_SECONDS", scaled(60))
    settings.DELIVERY_SLICE_SECONDS = scaled(60)


@pytest.fixture
def fresh_heartbeats(db: None) -> None:
    """Record a heartbeat of a worker and one of the tick."""
    heartbeats.record_heartbeat(heartbeats.WORKER)
    heartbeats.record_heartbeat(heartbeats.TICK)


@pytest.fixture
def intake_key(account: Account) -> str:
    return issue_key(IntakeKey(account=account, name="Website"))


@pytest.fixture
def intake_client(client: Client, intake_key: str, campaign: Campaign) -> IntakeClient:
    return IntakeClient(client, intake_key)
