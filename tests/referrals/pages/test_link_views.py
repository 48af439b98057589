"""The Real-time Referral page: what it shows, what it does, what it refuses, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.models import Account, Campaign, Connection, ConnectionTest, Link
from connections.operations.links import link_campaign
from connections.operations.states import hold_connection
from referrals.models import Delivery
from tests.referrals.factories import create_referrals
from tests.users import create_user, login_client

PAGE = "/admin/real-time-referral/"

pytestmark = pytest.mark.usefixtures("uncollected")


@pytest.fixture
def editor(account: Account) -> User:
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def browser(editor: User) -> Client:
    return login_client(editor)


@pytest.fixture
def tested(connection: Connection) -> Connection:
    ConnectionTest.objects.create(
        connection=connection, environment="testing", started_at=timezone.now(),
        outcome="delivered", is_good=True, connection_changed_at=connection.changed_at,
    )  # fmt: skip
    return connection


def say(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def press(browser: Client, name: str, connection: Connection, **fields: Any) -> Any:
    return browser.post(reverse(f"admin:{name}", args=[connection.pk]), fields)


def test_an_empty_page_says_what_to_do_next(browser: Client) -> None:
    shown = text(browser.get(PAGE))
    assert "There is no connection yet" in shown
    assert reverse("admin:connections_connection_add") in shown


def test_connections_are_listed_with_their_linked_campaigns(browser: Client, link: Link) -> None:
    shown = text(browser.get(PAGE))
    assert "Mailing list" in shown
    assert "1 linked" in shown
    assert 'aria-label="Unlink Newsletter"' in shown
    assert f'id="connection-{link.connection_id}" >' in shown


def test_unlinked_campaigns_are_shown_when_asked_for(
    browser: Client, connection: Connection, campaign: Campaign
) -> None:
    where = f"{PAGE}?connection={connection.pk}"
    assert "Unlinked campaigns" not in text(browser.get(where))
    shown = text(browser.get(f"{where}&unlinked=1"))
    assert 'aria-label="Link Newsletter"' in shown


def test_archived_campaigns_are_not_offered(
    browser: Client, connection: Connection, campaign: Campaign
) -> None:
    Campaign.objects.update(status="archived")
    shown = text(browser.get(f"{PAGE}?connection={connection.pk}&unlinked=1"))
    assert "Newsletter" not in shown


def test_a_campaign_that_may_not_share_what_is_needed_says_so(
    browser: Client, connection: Connection, campaign: Campaign
) -> None:
    Campaign.objects.update(kind="website_traffic")
    shown = text(browser.get(f"{PAGE}?connection={connection.pk}&unlinked=1"))
    assert "May not share email, which the connection requires." in shown
    assert 'aria-label="Link Newsletter"' not in shown


def test_a_search_finds_campaigns_among_hundreds(
    browser: Client, connection: Connection, account: Account
) -> None:
    kind = "lead_generation"
    Campaign.objects.bulk_create(
        Campaign(account=account, name=f"Campaign {number:03}", key=f"c{number}", kind=kind)
        for number in range(250)
    )
    where = f"{PAGE}?connection={connection.pk}&unlinked=1"
    shown = text(browser.get(where))
    assert "100 of 250 are shown." in shown
    assert "Campaign 199" not in shown
    shown = text(browser.get(f"{where}&campaign=n+199"))
    assert "Campaign 199" in shown
    assert "Campaign 000" not in shown


def test_a_connection_is_found_by_its_name_or_account(
    browser: Client, connection: Connection
) -> None:
    assert "Mailing list" in text(browser.get(f"{PAGE}?q=mail"))
    assert "Mailing list" in text(browser.get(f"{PAGE}?q=acme"))
    assert "No connection is called “other”" in text(browser.get(f"{PAGE}?q=other"))


def test_the_page_opens_where_the_connection_stands(
    browser: Client, account: Account, connection: Connection
) -> None:
    Connection.objects.bulk_create(
        Connection(account=account, name=f"CRM {number:02}") for number in range(40)
    )
    last = Connection.objects.get(name="CRM 39")
    shown = text(browser.get(f"{PAGE}?connection={last.pk}"))
    assert f'id="connection-{last.pk}" open' in shown
    assert "Page 2 of 2" in shown


@pytest.mark.parametrize("address", ["?connection=abc", "?connection=0", "?page=99&connection=7"])
def test_an_address_that_means_nothing_shows_the_first_page(
    browser: Client, connection: Connection, address: str
) -> None:
    assert "Mailing list" in text(browser.get(PAGE + address))


def test_link_links_and_is_in_both_histories(
    browser: Client, tested: Connection, campaign: Campaign, editor: User
) -> None:
    response = press(browser, "link_campaigns", tested, campaign=campaign.pk)

    link = Link.objects.active().get()
    assert (link.campaign, link.connection, link.linked_by) == (campaign, tested, editor)
    assert say(response) == ["Linked Newsletter to Mailing list."]
    assert response.url == (f"{PAGE}?connection={tested.pk}&unlinked=1#connection-{tested.pk}")
    entries = LogEntry.objects.values_list("user__username", "object_repr", "change_message")
    assert set(entries) == {
        ("Eda", "Newsletter", "Linked Newsletter to Mailing list."),
        ("Eda", "Mailing list", "Linked Newsletter to Mailing list."),
    }


def test_several_are_linked_at_once(
    browser: Client, tested: Connection, campaign: Campaign, account: Account
) -> None:
    other = Campaign.objects.create(account=account, name="Other", kind="lead_generation")
    press(browser, "link_campaigns", tested, selected=[campaign.pk, other.pk])
    assert set(Link.objects.values_list("campaign__name", flat=True)) == {"Newsletter", "Other"}


def test_a_campaigns_own_button_means_that_campaign_alone(
    browser: Client, tested: Connection, campaign: Campaign, account: Account
) -> None:
    other = Campaign.objects.create(account=account, name="Other", kind="lead_generation")
    press(browser, "link_campaigns", tested, selected=[campaign.pk], campaign=other.pk)
    assert [link.campaign for link in Link.objects.all()] == [other]


def test_nothing_ticked_is_said(browser: Client, tested: Connection) -> None:
    assert say(press(browser, "link_campaigns", tested)) == ["Tick the campaigns first."]


def test_the_question_says_why_the_connection_is_untested(
    browser: Client, tested: Connection, campaign: Campaign
) -> None:
    tested.save()
    asked = text(press(browser, "link_campaigns", tested, campaign=campaign.pk))
    assert "and not tested since." in asked
    ConnectionTest.objects.create(
        connection=tested, environment="testing", started_at=timezone.now(), outcome="rejected",
        connection_changed_at=tested.changed_at,
    )  # fmt: skip
    asked = text(press(browser, "link_campaigns", tested, campaign=campaign.pk))
    assert "newest test</a> of Mailing list was not as expected" in asked
    assert not Link.objects.exists()


def test_an_untested_connection_asks_before_it_is_linked(
    browser: Client, connection: Connection, campaign: Campaign
) -> None:
    asked = press(browser, "link_campaigns", connection, campaign=campaign.pk)
    assert "Link to an untested connection?" in text(asked)
    assert "Mailing list was never tested." in text(asked)
    assert not Link.objects.exists()
    fields = {"selected": campaign.pk, "confirmed": 1}
    press(browser, "link_campaigns", connection, **fields)
    assert Link.objects.active().exists()


def test_what_may_not_be_shared_is_refused(
    browser: Client, tested: Connection, campaign: Campaign
) -> None:
    Campaign.objects.update(kind="website_traffic")
    [sentence] = say(press(browser, "link_campaigns", tested, campaign=campaign.pk))
    assert sentence.startswith("Mailing list needs email, which a campaign of the kind")
    assert not Link.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_campaign_of_another_account_is_refused(
    browser: Client, tested: Connection, editor: User
) -> None:
    other = Account.objects.create(name="Other", slug="other")
    other.members.add(editor)
    foreign = Campaign.objects.create(account=other, name="Foreign", kind="lead_generation")
    [sentence] = say(press(browser, "link_campaigns", tested, campaign=foreign.pk))
    assert sentence == "Foreign and Mailing list belong to different accounts."


def test_a_second_link_is_refused(browser: Client, tested: Connection, link: Link) -> None:
    sentences = say(press(browser, "link_campaigns", tested, campaign=link.campaign_id))
    assert sentences == ["Newsletter is linked to Mailing list already."]


def test_unlink_unlinks_at_once_where_nothing_waits(
    browser: Client, link: Link, editor: User
) -> None:
    response = press(browser, "unlink_campaigns", link.connection, campaign=link.campaign_id)

    link.refresh_from_db()
    assert (link.is_active, link.unlinked_by) == (False, editor)
    assert say(response) == ["Unlinked Newsletter from Mailing list."]
    assert response.url == f"{PAGE}?connection={link.connection_id}#connection-{link.connection_id}"


def test_unlink_asks_about_what_waits_with_its_number(
    browser: Client, link: Link, campaign: Campaign
) -> None:
    create_referrals(campaign, "jo@example.com", "mia@example.com")
    asked = press(browser, "unlink_campaigns", link.connection, campaign=campaign.pk)
    assert "2 deliveries wait." in text(asked)
    assert 'value="deliver" checked' in text(asked)
    assert Link.objects.active().exists()


@pytest.mark.parametrize(
    ("answer", "statuses"), [("deliver", {"pending"}), ("cancel", {"cancelled"})]
)
def test_what_waits_is_delivered_or_cancelled_as_the_person_says(
    browser: Client, link: Link, campaign: Campaign, answer: str, statuses: set[str]
) -> None:
    create_referrals(campaign, "jo@example.com", "mia@example.com")
    fields = {"selected": campaign.pk, "waiting": answer}
    response = press(browser, "unlink_campaigns", link.connection, **fields)

    assert not Link.objects.active().exists()
    assert set(Delivery.objects.values_list("status", flat=True)) == statuses
    assert ("Cancelled deliveries: 2." in say(response)) is (answer == "cancel")


def test_who_linked_and_unlinked_is_shown(
    browser: Client, link: Link, campaign: Campaign, editor: User
) -> None:
    press(browser, "unlink_campaigns", link.connection, campaign=campaign.pk)
    link_campaign(campaign, connection=link.connection, by=editor)
    shown = text(browser.get(PAGE))
    assert shown.count("by the system") == 1
    assert shown.count("by Eda") == 3


def test_pause_and_release_are_in_the_history(browser: Client, connection: Connection) -> None:
    press(browser, "pause_connection", connection)
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == ("paused", "Paused by Eda.")

    response = press(browser, "release_connection", connection)
    connection.refresh_from_db()
    assert connection.state == "active"
    assert say(response)[-1] == "Mailing list is released. Deliveries that wait for it: 0."
    messages = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(messages) == ["Paused.", "Released."]


def test_a_held_connection_says_why(browser: Client, connection: Connection) -> None:
    hold_connection(connection.pk, reason="Credentials refused.")
    shown = text(browser.get(PAGE))
    assert "Credentials refused." in shown
    assert "Release" in shown


@pytest.mark.parametrize(
    "name", ["link_campaigns", "unlink_campaigns", "pause_connection", "release_connection"]
)
def test_a_connection_of_another_account_is_not_found(name: str, connection: Connection) -> None:
    other = Account.objects.create(name="Other", slug="other")
    stranger = login_client(create_user("Stan", other, role="Editor"))
    assert press(stranger, name, connection, campaign=1).status_code == 404


def test_a_foreign_campaigns_id_is_forbidden(browser: Client, tested: Connection) -> None:
    other = Account.objects.create(name="Other", slug="other")
    foreign = Campaign.objects.create(account=other, name="Foreign", kind="lead_generation")
    assert press(browser, "link_campaigns", tested, campaign=foreign.pk).status_code == 403
    assert press(browser, "link_campaigns", tested, campaign="x").status_code == 403


def test_a_reporter_sees_and_changes_nothing(link: Link, account: Account) -> None:
    reporter = login_client(create_user("Rob", account, role="Reporter"))
    shown = text(reporter.get(f"{PAGE}?connection={link.connection_id}&unlinked=1"))
    assert "Newsletter" in shown
    assert '<button type="submit" name="campaign"' not in shown
    for name in ("link_campaigns", "unlink_campaigns", "pause_connection", "release_connection"):
        assert press(reporter, name, link.connection, campaign=link.campaign_id).status_code == 403
    assert Link.objects.active().exists()


def test_the_page_takes_as_many_questions_for_many_connections(
    browser: Client, account: Account, django_assert_max_num_queries: Any
) -> None:
    connections = Connection.objects.bulk_create(
        Connection(account=account, name=f"CRM {number}") for number in range(20)
    )
    campaigns = Campaign.objects.bulk_create(
        Campaign(account=account, name=f"C {number}", key=f"c{number}", kind="lead_generation")
        for number in range(20)
    )
    for campaign, connection in zip(campaigns, connections, strict=True):
        link_campaign(campaign, connection=connection, by=None)
    with django_assert_max_num_queries(15):
        browser.get(PAGE)
