"""Tests of cancelling deliveries."""

from __future__ import annotations

from connections.models import Campaign, Link
from connections.simulator import CRM
from referrals.models import Delivery
from referrals.operations.cancel import cancel
from tests.referrals.factories import (
    claim_only,
    create_referrals,
    deliver,
    delivery_statuses,
    get_delivery,
)
from tests.users import SOMEBODY


def test_cancelled_deliveries_are_never_sent(link: Link, campaign: Campaign, crm: CRM) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")
    assert cancel(Delivery.objects.filter(referral__external_id="a@example.com"), by=SOMEBODY) == 1
    assert deliver() == {"delivered": 1}
    assert delivery_statuses() == {"a@example.com": "cancelled", "b@example.com": "delivered"}
    assert get_delivery("a@example.com").finished_at is not None
    assert [one.email for one in crm.received()] == ["b@example.com"]


def test_only_deliveries_that_wait_are_cancelled(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "a@example.com")
    deliver()
    create_referrals(campaign, "b@example.com", "c@example.com")
    claim_only("b@example.com")
    assert cancel(Delivery.objects.all(), by=SOMEBODY) == 1
    assert delivery_statuses() == {
        "a@example.com": "delivered",
        "b@example.com": "pending",
        "c@example.com": "cancelled",
    }
