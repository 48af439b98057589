"""Tests of a connection that cannot be prepared beside one that can."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from connections.models import Account, Campaign, Connection, Endpoint
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals.delivery.pump import deliver_due, finish_in_flight
from referrals.intake import Item, accept_referrals
from referrals.models import Delivery
from tests.users import SOMEBODY


@pytest.fixture
def broken(account: Account, campaign: Campaign) -> Connection:
    row = Connection.objects.create(account=account, name="Broken", authorization_kind="bearer")
    Endpoint.objects.create(connection=row, environment="production", url="https://crm.example/")
    link_campaign(campaign, connection=row, by=SOMEBODY)
    return row


def deliver_one(campaign: Campaign) -> dict[str, tuple[str, str]]:
    """Accept and deliver one referral; return status and last outcome by connection."""
    accept_referrals(campaign, [Item(external_id="a", attributes={"email": "jo@example.com"})])
    deliver_due()
    finish_in_flight()
    rows = Delivery.objects.values_list("connection__name", "status", "outcome")
    return {name: (status, outcome) for name, status, outcome in rows}


def update_column(row: Connection, column: str, value: Any) -> None:
    Connection.objects.filter(pk=row.pk).update(**{column: value})


@pytest.mark.usefixtures("link")
def test_credentials_that_cannot_be_decrypted_keep_their_deliveries_pending(
    campaign: Campaign, broken: Connection, crm: CRM, settings: Any
) -> None:
    keys = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    update_column(broken, "secrets", {"token": "secret"})
    settings.ENCRYPTION_KEYS = keys

    assert deliver_one(campaign) == {
        "Mailing list": ("delivered", "delivered"),
        "Broken": ("pending", "unauthorized"),
    }
    assert crm.people() == 1


@pytest.mark.usefixtures("link")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("empty_values", "some"),
        ("on_unknown", "perhaps"),
        ("limits", {"in_flight": "many"}),
        ("limits", {"speed": 1}),
        ("authorization_kind", "handshake"),
        ("headers", {"X-Number": 1}),
    ],
)
def test_an_invalid_connection_does_not_stop_the_others(
    campaign: Campaign, broken: Connection, crm: CRM, column: str, value: Any
) -> None:
    update_column(broken, column, value)

    outcomes = deliver_one(campaign)

    assert outcomes["Mailing list"] == ("delivered", "delivered")
    assert outcomes["Broken"] == ("invalid", "invalid")
    assert crm.people() == 1
