"""Tests of linking and unlinking campaigns."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from connections.core.spec import ConnectionSpec
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, Link
from connections.operations.history import Actor, Door
from connections.operations.links import (
    CampaignAlreadyLinked,
    LinkRefused,
    NotLinked,
    link_campaign,
    unlink_campaign,
)
from tests.referrals.factories import run_in_threads
from tests.users import SOMEBODY


def test_a_new_link_is_active_and_has_its_user_and_time(
    campaign: Campaign, connection: Connection, admin_user: User
) -> None:
    before = timezone.now()

    link = link_campaign(
        campaign, connection=connection, by=Actor(door=Door.ADMIN, user=admin_user)
    )

    assert Link.objects.get() == link
    assert (link.campaign, link.connection, link.linked_by) == (campaign, connection, admin_user)
    assert before <= link.linked_at <= timezone.now()
    assert link.is_active
    assert str(link) == "Newsletter → Mailing list"


def test_a_second_link_of_a_campaign_to_a_connection_is_refused(link: Link) -> None:
    with pytest.raises(CampaignAlreadyLinked) as refusal:
        link_campaign(link.campaign, connection=link.connection, by=SOMEBODY)

    assert str(refusal.value) == "Newsletter is linked to Mailing list already."
    assert Link.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_links_of_a_campaign_to_a_connection_succeed_once(
    campaign: Campaign, connection: Connection
) -> None:
    def link() -> str:
        try:
            link_campaign(campaign, connection=connection, by=SOMEBODY)
        except CampaignAlreadyLinked:
            return "refused"
        return "linked"

    assert sorted(run_in_threads(link, link, link)) == ["linked", "refused", "refused"]
    assert Link.objects.count() == 1


def test_a_link_across_accounts_is_refused(
    campaign: Campaign, connection_spec: ConnectionSpec
) -> None:
    other = Account.objects.create(name="Other", slug="other")
    foreign = store_connection(connection_spec, account=other)

    with pytest.raises(LinkRefused) as refusal:
        link_campaign(campaign, connection=foreign, by=SOMEBODY)

    assert str(refusal.value) == "Newsletter and Mailing list belong to different accounts."
    assert not Link.objects.exists()


@pytest.mark.parametrize(
    ("kind", "withheld"),
    [
        ("lead_generation", ""),
        ("email_subscription", "mobile, birth_date"),
        ("website_traffic", "email, mobile, birth_date"),
    ],
)
def test_a_campaign_that_may_not_share_a_required_attribute_is_not_linked(
    account: Account, campaign: Campaign, connection_spec: ConnectionSpec, kind: str, withheld: str
) -> None:
    Campaign.objects.update(kind=kind)
    campaign.refresh_from_db()
    demanding = replace(connection_spec, required=("email", "mobile", "country", "birth_date"))
    link = partial(
        link_campaign, connection=store_connection(demanding, account=account), by=SOMEBODY
    )

    if not withheld:
        assert link(campaign).is_active
        return
    with pytest.raises(LinkRefused) as refusal:
        link(campaign)
    assert str(refusal.value) == (
        f"Mailing list needs {withheld}, which a campaign of the kind "
        f"{kind.replace('_', ' ')} may not share. Link a campaign of another kind, or make the "
        "attribute optional."
    )
    assert not Link.objects.exists()


def test_an_unlinked_link_is_kept_as_inactive(link: Link, admin_user: User) -> None:
    before = timezone.now()

    actor = Actor(door=Door.ADMIN, user=admin_user)
    unlinked = unlink_campaign(link.campaign, connection=link.connection, by=actor)

    link.refresh_from_db()
    assert unlinked == link
    assert not link.is_active
    assert link.unlinked_by == admin_user
    assert link.unlinked_at is not None
    assert before <= link.unlinked_at <= timezone.now()
    link_campaign(link.campaign, connection=link.connection, by=SOMEBODY)
    assert [link.is_active for link in Link.objects.order_by("pk")] == [False, True]


def test_unlinking_without_a_link_is_refused(campaign: Campaign, connection: Connection) -> None:
    with pytest.raises(NotLinked) as refusal:
        unlink_campaign(campaign, connection=connection, by=SOMEBODY)

    assert str(refusal.value) == "Newsletter is not linked to Mailing list."
