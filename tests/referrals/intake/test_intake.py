"""Tests of accepting referrals."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone

from connections.models import Account, Campaign, Connection, CustomAttribute, Link
from connections.operations.links import unlink_campaign
from referrals.intake import Accepted, CampaignNotLive, IntakeRefused, accept_referrals
from referrals.models import Delivery, Referral
from tests.referrals.factories import create_referrals, item, run_in_threads
from tests.timing import WAIT_SECONDS
from tests.users import SOMEBODY


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


def test_the_same_external_id_in_two_campaigns_is_two_referrals(
    account: Account, campaign: Campaign, link: Link
) -> None:
    other = Campaign.objects.create(account=account, name="Other", kind="lead_generation")

    [first], [second] = (create_referrals(one, "jo@example.com") for one in (campaign, other))

    assert (first.is_new, second.is_new) == (True, True)
    assert first.id != second.id
    assert Delivery.objects.count() == 1


def test_a_repeated_external_id_in_a_list_is_stored_once(campaign: Campaign, link: Link) -> None:
    accepted = accept_referrals(
        campaign, [item("a", email="first@a.com"), item("b"), item("a", email="second@a.com")]
    )

    assert [one.external_id for one in accepted] == ["a", "b", "a"]
    assert [one.is_new for one in accepted] == [True, True, False]
    assert accepted[0].id == accepted[2].id
    assert Referral.objects.get(external_id="a").attributes == {"email": "first@a.com"}
    assert (Referral.objects.count(), Delivery.objects.count()) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_with_the_same_referrals_store_each_once(
    campaign: Campaign, link: Link
) -> None:
    together = Barrier(4)

    def accept_from(start: int) -> list[Accepted]:
        names = [f"jo{(start + number) % 50}@example.com" for number in range(50)]
        together.wait(WAIT_SECONDS)
        return create_referrals(campaign, *names)

    results = run_in_threads(*(partial(accept_from, start) for start in (0, 13, 26, 39)))

    assert sum(one.is_new for result in results for one in result) == 50
    assert {one.id for result in results for one in result} == set(
        Referral.objects.values_list("pk", flat=True)
    )
    assert (Referral.objects.count(), Delivery.objects.count()) == (50, 50)


def test_a_campaign_without_a_link_stores_referrals_without_deliveries(
    campaign: Campaign, link: Link
) -> None:
    unlink_campaign(campaign, connection=link.connection, by=SOMEBODY)

    create_referrals(campaign, "jo@example.com")

    assert (Referral.objects.count(), Delivery.objects.count()) == (1, 0)


def test_empty_values_are_not_stored(campaign: Campaign) -> None:
    accept_referrals(campaign, [item("a", email="jo@example.com", age=None, first_name="")])

    assert Referral.objects.get().attributes == {"email": "jo@example.com"}


def test_a_custom_attribute_of_the_account_is_accepted(
    account: Account, campaign: Campaign
) -> None:
    CustomAttribute.objects.create(account=account, key="shoe_size", type="decimal")

    accept_referrals(campaign, [item("a", shoe_size=42.5)])

    assert Referral.objects.get().attributes == {"shoe_size": "42.5"}


def test_an_attribute_of_the_catalogue_takes_precedence_over_a_custom_one(
    account: Account, campaign: Campaign
) -> None:
    # A later version may bring a name that an account had taken before.
    CustomAttribute.objects.create(account=account, key="age", type="text")
    CustomAttribute.objects.create(account=account, key="shoe_size", type="decimal")

    accept_referrals(campaign, [item("a", age="25"), item("b", age="25", shoe_size=1)])

    assert [one.attributes["age"] for one in Referral.objects.order_by("external_id")] == [25, 25]


@pytest.mark.parametrize("status", ["paused", "archived"])
def test_a_campaign_that_is_not_live_refuses_referrals(
    campaign: Campaign, link: Link, status: str
) -> None:
    Campaign.objects.update(status=status)
    campaign.refresh_from_db()

    with pytest.raises(CampaignNotLive, match=f"The campaign Newsletter is {status}."):
        create_referrals(campaign, "jo@example.com")

    assert not Referral.objects.exists()


def test_an_invalid_item_refuses_the_whole_list_and_every_error_is_named(
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

    found = [(one.field, one.message) for one in refusal.value.errors]
    assert found == [
        ("[1].attributes.emial", 'there is no such attribute. Did you mean "email"?'),
        ("[1].attributes.age", "must be a whole number, such as 25"),
        ("[2].external_id", "must be a text of printable characters"),
        ("[2].attributes.amount", "must be a number, such as 2.50"),
        ("[3].external_id", "must not be longer than 200 characters"),
    ]
    assert not Referral.objects.exists()
    assert not Delivery.objects.exists()


def test_a_thousand_items_take_at_most_30_queries(
    campaign: Campaign, link: Link, django_assert_max_num_queries: Any
) -> None:
    names = [f"jo{number}@example.com" for number in range(1000)]

    with django_assert_max_num_queries(30):
        accepted = create_referrals(campaign, *names)

    assert [one.external_id for one in accepted] == names
    assert (Referral.objects.count(), Delivery.objects.count()) == (1000, 1000)
