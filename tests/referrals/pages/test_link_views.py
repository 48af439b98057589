"""Tests of linking, unlinking, pausing and releasing on the Real-time Referral page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.models import Account, Campaign, Connection, ConnectionTest, Link
from connections.operations.history import Actor, Door
from connections.operations.links import link_campaign
from referrals.models import Delivery
from tests.history import history
from tests.referrals.factories import create_referrals
from tests.referrals.pages.helpers import PAGE, messages, text
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")


@pytest.fixture
def tested(connection: Connection) -> Connection:
    ConnectionTest.objects.create(
        connection=connection, environment="testing", started_at=timezone.now(),
        outcome="delivered", is_good=True, connection_changed_at=connection.changed_at,
    )  # fmt: skip
    return connection


def post(browser: Client, name: str, connection: Connection, **fields: Any) -> Any:
    return browser.post(reverse(f"admin:{name}", args=[connection.pk]), fields)


def test_linking_is_recorded_on_campaign_and_connection(
    browser: Client, tested: Connection, campaign: Campaign, editor: User
) -> None:
    response = post(browser, "link_campaigns", tested, campaign=campaign.pk)

    link = Link.objects.active().get()
    assert (link.campaign, link.connection, link.linked_by) == (campaign, tested, editor)
    assert messages(response) == ["Linked Newsletter to Mailing list."]
    assert response.url == (f"{PAGE}?connection={tested.pk}&unlinked=1#connection-{tested.pk}")
    linked = [("Eda", "admin", "Linked Newsletter to Mailing list.")]
    assert (history(campaign), history(tested)) == (linked, linked)


def test_several_campaigns_are_linked_at_once(
    browser: Client, tested: Connection, campaign: Campaign, account: Account
) -> None:
    other = Campaign.objects.create(account=account, name="Other", kind="lead_generation")
    post(browser, "link_campaigns", tested, selected=[campaign.pk, other.pk])
    assert set(Link.objects.values_list("campaign__name", flat=True)) == {"Newsletter", "Other"}


def test_the_button_of_a_campaign_links_only_that_campaign(
    browser: Client, tested: Connection, campaign: Campaign, account: Account
) -> None:
    other = Campaign.objects.create(account=account, name="Other", kind="lead_generation")
    post(browser, "link_campaigns", tested, selected=[campaign.pk], campaign=other.pk)
    assert [link.campaign for link in Link.objects.all()] == [other]


def test_linking_without_a_selected_campaign_shows_a_message(
    browser: Client, tested: Connection
) -> None:
    assert messages(post(browser, "link_campaigns", tested)) == ["Tick the campaigns first."]


def test_the_confirmation_says_why_the_connection_is_untested(
    browser: Client, tested: Connection, campaign: Campaign
) -> None:
    tested.save()
    confirmation = text(post(browser, "link_campaigns", tested, campaign=campaign.pk))
    assert "and not tested since." in confirmation
    ConnectionTest.objects.create(
        connection=tested, environment="testing", started_at=timezone.now(), outcome="rejected",
        connection_changed_at=tested.changed_at,
    )  # fmt: skip
    confirmation = text(post(browser, "link_campaigns", tested, campaign=campaign.pk))
    assert "newest test</a> of Mailing list was not as expected" in confirmation
    assert not Link.objects.exists()


def test_linking_an_untested_connection_asks_for_confirmation(
    browser: Client, connection: Connection, campaign: Campaign
) -> None:
    confirmation = post(browser, "link_campaigns", connection, campaign=campaign.pk)
    assert "Link to an untested connection?" in text(confirmation)
    assert "Mailing list was never tested." in text(confirmation)
    assert not Link.objects.exists()
    fields = {"selected": campaign.pk, "confirmed": 1}
    post(browser, "link_campaigns", connection, **fields)
    assert Link.objects.active().exists()


def test_linking_a_campaign_that_may_not_share_a_required_attribute_is_refused(
    browser: Client, tested: Connection, campaign: Campaign
) -> None:
    Campaign.objects.update(kind="website_traffic")
    [message] = messages(post(browser, "link_campaigns", tested, campaign=campaign.pk))
    assert message.startswith("Mailing list needs email, which a campaign of the kind")
    assert not Link.objects.exists()
    assert (history(campaign), history(tested)) == ([], [])


def test_linking_a_campaign_of_another_account_is_refused(
    browser: Client, tested: Connection, editor: User
) -> None:
    other = Account.objects.create(name="Other", slug="other")
    other.members.add(editor)
    foreign = Campaign.objects.create(account=other, name="Foreign", kind="lead_generation")
    [message] = messages(post(browser, "link_campaigns", tested, campaign=foreign.pk))
    assert message == "Foreign and Mailing list belong to different accounts."


def test_a_second_link_is_refused(browser: Client, tested: Connection, link: Link) -> None:
    shown_messages = messages(post(browser, "link_campaigns", tested, campaign=link.campaign_id))
    assert shown_messages == ["Newsletter is linked to Mailing list already."]


def test_unlinking_needs_no_confirmation_if_no_delivery_waits(
    browser: Client, link: Link, editor: User
) -> None:
    response = post(browser, "unlink_campaigns", link.connection, campaign=link.campaign_id)

    link.refresh_from_db()
    assert (link.is_active, link.unlinked_by) == (False, editor)
    assert messages(response) == ["Unlinked Newsletter from Mailing list."]
    assert response.url == f"{PAGE}?connection={link.connection_id}#connection-{link.connection_id}"


def test_unlinking_asks_what_becomes_of_waiting_deliveries(
    browser: Client, link: Link, campaign: Campaign
) -> None:
    create_referrals(campaign, "jo@example.com", "mia@example.com")
    confirmation = post(browser, "unlink_campaigns", link.connection, campaign=campaign.pk)
    assert "2 deliveries wait." in text(confirmation)
    assert 'value="deliver" checked' in text(confirmation)
    assert Link.objects.active().exists()


@pytest.mark.parametrize(
    ("choice", "statuses"), [("deliver", {"pending"}), ("cancel", {"cancelled"})]
)
def test_waiting_deliveries_are_delivered_or_cancelled_as_chosen(
    browser: Client, link: Link, campaign: Campaign, choice: str, statuses: set[str]
) -> None:
    create_referrals(campaign, "jo@example.com", "mia@example.com")
    fields = {"selected": campaign.pk, "waiting": choice}
    response = post(browser, "unlink_campaigns", link.connection, **fields)

    assert not Link.objects.active().exists()
    assert set(Delivery.objects.values_list("status", flat=True)) == statuses
    assert ("Cancelled deliveries: 2." in messages(response)) is (choice == "cancel")


def test_the_page_shows_who_linked_and_unlinked(
    browser: Client, link: Link, campaign: Campaign, editor: User
) -> None:
    post(browser, "unlink_campaigns", link.connection, campaign=campaign.pk)
    eda = Actor(door=Door.ADMIN, user=editor)
    link_campaign(campaign, connection=link.connection, by=eda)
    html = text(browser.get(PAGE))
    assert html.count("by the system") == 1
    assert html.count("by Eda") == 3


def test_pausing_and_releasing_are_recorded_on_the_connection(
    browser: Client, connection: Connection
) -> None:
    post(browser, "pause_connection", connection)
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("paused", "Paused by Eda.")

    response = post(browser, "release_connection", connection)
    connection.refresh_from_db()
    assert connection.state == "active"
    assert messages(response)[-1] == "Mailing list is released. Deliveries that wait for it: 0."
    assert history(connection) == [("Eda", "admin", "Paused."), ("Eda", "admin", "Released.")]


@pytest.mark.parametrize(
    "name", ["link_campaigns", "unlink_campaigns", "pause_connection", "release_connection"]
)
def test_a_connection_of_another_account_is_not_found(name: str, connection: Connection) -> None:
    other = Account.objects.create(name="Other", slug="other")
    foreign_editor = login_client(create_user("Stan", other, role="Editor"))
    assert post(foreign_editor, name, connection, campaign=1).status_code == 404


def test_the_id_of_a_foreign_campaign_is_forbidden(browser: Client, tested: Connection) -> None:
    other = Account.objects.create(name="Other", slug="other")
    foreign = Campaign.objects.create(account=other, name="Foreign", kind="lead_generation")
    assert post(browser, "link_campaigns", tested, campaign=foreign.pk).status_code == 403
    assert post(browser, "link_campaigns", tested, campaign="x").status_code == 403


def test_a_reporter_sees_links_and_cannot_change_them(link: Link, account: Account) -> None:
    reporter = login_client(create_user("Rob", account, role="Reporter"))
    html = text(reporter.get(f"{PAGE}?connection={link.connection_id}&unlinked=1"))
    assert "Newsletter" in html
    assert '<button type="submit" name="campaign"' not in html
    for name in ("link_campaigns", "unlink_campaigns", "pause_connection", "release_connection"):
        assert post(reporter, name, link.connection, campaign=link.campaign_id).status_code == 403
    assert Link.objects.active().exists()
