"""Tests of `manage.py reread`."""

from __future__ import annotations

import pytest

from connections.models import Connection, ResponseRule
from connections.simulator import CRM
from tests.referrals.factories import (
    delivery_statuses,
)
from tests.referrals.management.helpers import UNRECOGNISED, run_command

pytestmark = pytest.mark.usefixtures("untouched_signals")


def test_reread_applies_todays_rules_without_sending(
    delivered: None, connection: Connection, crm: CRM
) -> None:
    ResponseRule.objects.create(
        connection=connection, position=9, status="200", outcome="delivered"
    )
    assert run_command("reread", "--account", "acme") == (
        0,
        ["1 are now delivered", "1 changed in all"],
    )
    assert run_command("reread", "--account", "acme") == (0, ["0 changed in all"])
    assert set(delivery_statuses().values()) == {"delivered"}
    assert crm.received() == []


def test_reread_changes_only_selected_deliveries(delivered: None, connection: Connection) -> None:
    ResponseRule.objects.update(outcome="suppressed")
    assert run_command("reread", "--outcome", "rejected") == (0, ["0 changed in all"])
    output = ["2 are now suppressed", "2 changed in all"]
    assert run_command("reread", "--outcome", "delivered") == (0, output)
    assert delivery_statuses()[UNRECOGNISED] == "unrecognised"
