"""Tests of delivering past referrals to a new link."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals.models import DeliveryAttempt, Referral
from referrals.operations.backfill import backfill, never_sent
from tests.referrals.factories import (
    create_referrals,
    deliver,
)
from tests.users import SOMEBODY


@pytest.fixture
def other_campaign(account: Account) -> Campaign:
    return Campaign.objects.create(
        account=account, name="Other", key="cmp_other", kind="lead_generation"
    )


def test_a_backfill_delivers_past_referrals_to_a_new_link_once(
    account: Account, campaign: Campaign, connection: Connection, crm: CRM
) -> None:
    create_referrals(campaign, "old@example.com", "a@example.com", "b@example.com")
    Referral.objects.filter(external_id="old@example.com").update(
        accepted_at=timezone.now() - timedelta(days=40)
    )
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    create_referrals(campaign, "new@example.com")
    deliver()
    since = timezone.now() - timedelta(days=30)

    assert never_sent(campaign, connection, since=since).count() == 2
    assert backfill(campaign, connection, since=since, by=SOMEBODY) == 2
    assert never_sent(campaign, connection, since=since).count() == 0
    assert backfill(campaign, connection, since=since, by=SOMEBODY) == 0

    assert deliver() == {"delivered": 2}
    assert {one.email for one in crm.received()} == {
        "new@example.com",
        "a@example.com",
        "b@example.com",
    }
    triggers = DeliveryAttempt.objects.order_by("pk").values_list("trigger", flat=True)
    assert list(triggers) == ["first", "replay", "replay"]


def test_a_backfill_leaves_referrals_of_other_campaigns_alone(
    link: Link, other_campaign: Campaign, connection: Connection
) -> None:
    create_referrals(other_campaign, "other@example.com")
    since = timezone.now() - timedelta(days=1)
    assert backfill(link.campaign, connection, since=since, by=SOMEBODY) == 0
