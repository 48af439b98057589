"""Fixtures for the tests of management commands."""

from __future__ import annotations

import pytest

from config import shutdown
from connections.models import Campaign, Link
from connections.simulator import CRM
from tests.referrals.factories import create_referrals, deliver
from tests.referrals.management.helpers import FIRST, SECOND, UNRECOGNISED


@pytest.fixture
def untouched_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the signal handlers of the test process as they are."""
    monkeypatch.setattr(shutdown, "handle_signals", lambda: None)


@pytest.fixture
def delivered(link: Link, campaign: Campaign, crm: CRM) -> None:
    """Deliver two accepted referrals and an unrecognised one, and empty the CRM."""
    create_referrals(campaign, FIRST, SECOND, UNRECOGNISED)
    deliver()
    crm.clear()
