"""The door: what is new is stored with its deliveries, what is known changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone

from connections.models import Account, Campaign, Connection, CustomAttribute, Link
from connections.operations.links import unlink_campaign
from referrals.intake import Accepted, CampaignNotLive, IntakeRefused, accept_referrals
from referrals.models import Delivery, Referral
from referrals.uuid7 import uuid7
from tests.referrals.factories import create_referrals, in_threads, item


def test_a_new_referral_is_stored_with_one_delivery_for_each_link(
    campaign: Campaign, link: Link, connection: Connection, account: Account
) -> None:
    Connection.objects.create(account=account, name="Not linked")
    given = item("order-1", email="jo@example.com", age="25", bid_price=2)
    before = timezone.now()

    [accepted] = accept_referrals(campaign, [replace(given, occurred_at=before)])

    referral = Referral.objects.get()
    assert accepted == Accepted(id=referral.pk, external_id="order-1", is_new=True)
    assert referral.campaign == campaign
    assert referral.attributes == {"email": "jo@example.com", "age": 25, "bid_price": "2"}
    assert referral.occurred_at == before
    assert before <= referral.accepted_at <= timezone.now()
    delivery = Delivery.objects.get()
    assert (delivery.referral, delivery.connection) == (referral, connection)
    assert (delivery.status, delivery.outcome, delivery.next_trigger) == ("pending", "", "first")
    assert (delivery.attempt_number, delivery.attempts_used, delivery.claimed_at) == (0, 0, None)
    assert delivery.due_at == delivery.created_at == referral.accepted_at


def test_a_known_external_id_changes_nothing(campaign: Campaign, link: Link) -> None:
    [first] = accept_referrals(campaign, [item("order-1", email="jo@example.com")])
    rows = list(Referral.objects.values()), list(Delivery.objects.values())

    [again] = accept_referrals(campaign, [item("order-1", email="other@example.com")])

    assert again == replace(first, is_new=False)
    assert (list(Referral.objects.values()), list(Delivery.objects.values())) == rows


def test_an_external_id_is_the_campaigns_own(
    account: Account, campaign: Campaign, link: Link
) -> None:
    other = Campaign.objects.create(account=account, name="Other", kind="lead_generation")

    [first], [second] = (create_referrals(one, "jo@example.com") for one in (campaign, other))

    assert (first.is_new, second.is_new) == (True, True)
    assert first.id != second.id
    assert Delivery.objects.count() == 1


def test_an_external_id_that_stands_twice_in_a_list_is_stored_once(
    campaign: Campaign, link: Link
) -> None:
    accepted = accept_referrals(
        campaign, [item("a", email="first@a.com"), item("b"), item("a", email="second@a.com")]
    )

    assert [one.external_id for one in accepted] == ["a", "b", "a"]
    assert [one.is_new for one in accepted] == [True, True, False]
    assert accepted[0].id == accepted[2].id
    assert Referral.objects.get(external_id="a").attributes == {"email": "first@a.com"}
    assert (Referral.objects.count(), Delivery.objects.count()) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_of_many_that_hand_in_the_same_at_once_one_is_first(campaign: Campaign, link: Link) -> None:
    together = Barrier(4)

    def knock(start: int) -> list[Accepted]:
        names = [f"jo{(start + number) % 50}@example.com" for number in range(50)]
        together.wait(20)
        return create_referrals(campaign, *names)

    answers = in_threads(*(partial(knock, start) for start in (0, 13, 26, 39)))

    assert sum(one.is_new for answer in answers for one in answer) == 50
    assert {one.id for answer in answers for one in answer} == set(
        Referral.objects.values_list("pk", flat=True)
    )
    assert (Referral.objects.count(), Delivery.objects.count()) == (50, 50)


def test_a_campaign_without_a_link_keeps_its_referrals(campaign: Campaign, link: Link) -> None:
    unlink_campaign(campaign, connection=link.connection, by=None)

    create_referrals(campaign, "jo@example.com")

    assert (Referral.objects.count(), Delivery.objects.count()) == (1, 0)


def test_values_without_content_are_not_stored(campaign: Campaign) -> None:
    accept_referrals(campaign, [item("a", email="jo@example.com", age=None, first_name="")])

    assert Referral.objects.get().attributes == {"email": "jo@example.com"}


def test_an_account_has_attributes_of_its_own(account: Account, campaign: Campaign) -> None:
    CustomAttribute.objects.create(account=account, key="shoe_size", type="decimal")

    accept_referrals(campaign, [item("a", shoe_size=42.5)])

    assert Referral.objects.get().attributes == {"shoe_size": "42.5"}


def test_a_name_of_the_catalogue_means_the_same_for_everybody(
    account: Account, campaign: Campaign
) -> None:
    # A later version may bring a name that an account had taken before.
    CustomAttribute.objects.create(account=account, key="age", type="text")
    CustomAttribute.objects.create(account=account, key="shoe_size", type="decimal")

    accept_referrals(campaign, [item("a", age="25"), item("b", age="25", shoe_size=1)])

    assert [one.attributes["age"] for one in Referral.objects.order_by("external_id")] == [25, 25]


@pytest.mark.parametrize("status", ["paused", "archived"])
def test_a_campaign_that_is_not_live_takes_nothing(
    campaign: Campaign, link: Link, status: str
) -> None:
    Campaign.objects.update(status=status)
    campaign.refresh_from_db()

    with pytest.raises(CampaignNotLive, match=f"The campaign Newsletter is {status}."):
        create_referrals(campaign, "jo@example.com")

    assert not Referral.objects.exists()


def test_one_wrong_item_refuses_all_of_them_and_each_mistake_is_named(
    campaign: Campaign, link: Link
) -> None:
    items = [
        item("a", email="jo@example.com"),
        item("b", emial="jo@example.com", age="old"),
        item("\x07", amount=True),
        item("c" * 201),
    ]

    with pytest.raises(IntakeRefused) as refusal:
        accept_referrals(campaign, items)

    found = [(one.field, one.message) for one in refusal.value.problems]
    assert found == [
        ("[1].attributes.emial", 'there is no such attribute. Did you mean "email"?'),
        ("[1].attributes.age", "must be a whole number, such as 25"),
        ("[2].external_id", "must be a text of printable characters"),
        ("[2].attributes.amount", "must be a number, such as 2.50"),
        ("[3].external_id", "must not be longer than 200 characters"),
    ]
    assert not Referral.objects.exists()
    assert not Delivery.objects.exists()


def test_a_thousand_items_take_a_few_statements(
    campaign: Campaign, link: Link, django_assert_max_num_queries: Any
) -> None:
    names = [f"jo{number}@example.com" for number in range(1000)]

    with django_assert_max_num_queries(30):
        accepted = create_referrals(campaign, *names)

    assert [one.external_id for one in accepted] == names
    assert (Referral.objects.count(), Delivery.objects.count()) == (1000, 1000)


def test_identifiers_sort_by_the_time_at_which_they_were_made() -> None:
    before = datetime.now(UTC)
    made = [uuid7() for _ in range(50)]

    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    moments = [datetime.fromtimestamp((one.int >> 80) / 1000, UTC) for one in made]
    assert moments == sorted(moments)
    assert before - timedelta(milliseconds=1) <= moments[0] <= moments[-1] <= datetime.now(UTC)
    assert len(set(made)) == 50
