"""Tests of unlinking, with and without cancelling what waits."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from connections.models import Account, Campaign, Connection, Link
from connections.operations.history import Actor, Door
from connections.operations.links import NotLinked, link_campaign
from referrals.models import Delivery
from referrals.operations.unlink import unlink, waiting
from tests.history import history
from tests.referrals.factories import create_referrals
from tests.users import SOMEBODY


@pytest.fixture
def other(account: Account, link: Link) -> Campaign:
    """Another campaign that is linked to the same connection."""
    campaign = Campaign.objects.create(
        account=account, name="Other", key="cmp_other", kind="lead_generation"
    )
    link_campaign(campaign, connection=link.connection, by=SOMEBODY)
    return campaign


def statuses() -> dict[str, str]:
    rows = Delivery.objects.values_list("referral__external_id", "connection__name", "status")
    return {f"{name} → {connection}": status for name, connection, status in rows}


def test_unlinking_with_cancel_leaves_other_campaigns_deliveries_alone(
    link: Link, campaign: Campaign, other: Campaign
) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")
    create_referrals(other, "c@example.com")
    assert waiting(campaign, link.connection).count() == 2

    assert unlink(campaign, connection=link.connection, by=SOMEBODY, cancel_waiting=True) == 2

    assert statuses() == {
        "a@example.com → Mailing list": "cancelled",
        "b@example.com → Mailing list": "cancelled",
        "c@example.com → Mailing list": "pending",
    }
    assert [one.campaign for one in Link.objects.active()] == [other]


def test_unlinking_with_cancel_leaves_other_connections_deliveries_alone(
    link: Link, campaign: Campaign, account: Account
) -> None:
    second = Connection.objects.create(account=account, name="Second")
    link_campaign(campaign, connection=second, by=SOMEBODY)
    create_referrals(campaign, "a@example.com")

    assert unlink(campaign, connection=second, by=SOMEBODY, cancel_waiting=True) == 1

    assert statuses() == {
        "a@example.com → Mailing list": "pending",
        "a@example.com → Second": "cancelled",
    }


def test_unlinking_without_cancel_cancels_nothing(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "a@example.com")
    assert unlink(campaign, connection=link.connection, by=SOMEBODY) == 0
    assert statuses() == {"a@example.com → Mailing list": "pending"}


def test_unlinking_with_cancel_is_recorded_for_the_same_user(
    link: Link, campaign: Campaign, admin_user: User
) -> None:
    create_referrals(campaign, "a@example.com")
    by = Actor(door=Door.ADMIN, user=admin_user)
    unlink(campaign, connection=link.connection, by=by, cancel_waiting=True)

    unlinked = ("admin", "admin", "Unlinked Newsletter from Mailing list.")
    assert (history(campaign)[1:], history(link.connection)[1:]) == ([unlinked], [unlinked])
    assert history(Delivery.objects.get()) == [("admin", "admin", "Cancelled.")]


def test_unlinking_a_campaign_that_is_not_linked_cancels_nothing(
    link: Link, campaign: Campaign
) -> None:
    create_referrals(campaign, "a@example.com")
    unlink(campaign, connection=link.connection, by=SOMEBODY)
    with pytest.raises(NotLinked):
        unlink(campaign, connection=link.connection, by=SOMEBODY, cancel_waiting=True)
    assert statuses() == {"a@example.com → Mailing list": "pending"}
    assert history(Delivery.objects.get()) == []
