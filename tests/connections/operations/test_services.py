"""Link, unlink and test: what is done, what is refused, and who did it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from connections.core.errors import DescriptionError
from connections.core.spec import ConnectionSpec
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, ConnectionTest, Endpoint, Link
from connections.operations.connection_tests import run_test
from connections.operations.links import (
    CampaignAlreadyLinked,
    LinkRefused,
    NotLinked,
    link_campaign,
    unlink_campaign,
)
from connections.operations.states import hold_connection, pause_connection, release_connection
from connections.simulator import CRM
from tests.referrals.factories import in_threads


def test_a_link_is_on_with_who_and_when(
    campaign: Campaign, connection: Connection, admin_user: User
) -> None:
    before = timezone.now()

    link = link_campaign(campaign, connection=connection, by=admin_user)

    assert Link.objects.get() == link
    assert (link.campaign, link.connection, link.linked_by) == (campaign, connection, admin_user)
    assert before <= link.linked_at <= timezone.now()
    assert link.is_active
    assert str(link) == "Newsletter → Mailing list"


def test_a_campaign_is_linked_once(link: Link) -> None:
    with pytest.raises(CampaignAlreadyLinked) as refusal:
        link_campaign(link.campaign, connection=link.connection, by=None)

    assert str(refusal.value) == "Newsletter is linked to Mailing list already."
    assert Link.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_link_at_once_one_is_refused(campaign: Campaign, connection: Connection) -> None:
    def link() -> str:
        try:
            link_campaign(campaign, connection=connection, by=None)
        except CampaignAlreadyLinked:
            return "refused"
        return "linked"

    assert sorted(in_threads(link, link, link)) == ["linked", "refused", "refused"]
    assert Link.objects.count() == 1


def test_a_link_never_crosses_accounts(campaign: Campaign, described: ConnectionSpec) -> None:
    other = Account.objects.create(name="Other", slug="other")
    theirs = store_connection(described, account=other)

    with pytest.raises(LinkRefused) as refusal:
        link_campaign(campaign, connection=theirs, by=None)

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
def test_a_campaign_is_not_linked_where_it_may_not_share_what_is_needed(
    account: Account, campaign: Campaign, described: ConnectionSpec, kind: str, withheld: str
) -> None:
    Campaign.objects.update(kind=kind)
    campaign.refresh_from_db()
    needy = replace(described, required=("email", "mobile", "country", "birth_date"))
    link = partial(link_campaign, connection=store_connection(needy, account=account), by=None)

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


def test_a_link_that_is_taken_away_stays_as_history(link: Link, admin_user: User) -> None:
    before = timezone.now()

    unlinked = unlink_campaign(link.campaign, connection=link.connection, by=admin_user)

    link.refresh_from_db()
    assert unlinked == link
    assert not link.is_active
    assert link.unlinked_by == admin_user
    assert link.unlinked_at is not None
    assert before <= link.unlinked_at <= timezone.now()
    link_campaign(link.campaign, connection=link.connection, by=None)
    assert [one.is_active for one in Link.objects.order_by("pk")] == [False, True]


def test_what_is_not_linked_can_not_be_unlinked(campaign: Campaign, connection: Connection) -> None:
    with pytest.raises(NotLinked) as refusal:
        unlink_campaign(campaign, connection=connection, by=None)

    assert str(refusal.value) == "Newsletter is not linked to Mailing list."


def test_a_test_sends_the_sample_to_the_testing_endpoint_and_is_kept(
    connection: Connection, crm: CRM, admin_user: User
) -> None:
    test = run_test(connection, by=admin_user)

    [received] = crm.received()
    assert (received.path, received.email) == (
        "/3.0/lists/testing/members",
        "john.smith@example.com",
    )
    assert ConnectionTest.objects.get() == test
    assert (test.environment, test.outcome, test.is_good) == ("testing", "delivered", True)
    assert (test.response_status, test.requested_by) == (200, admin_user)
    assert test.attributes["email"] == "john.smith@example.com"
    assert dict(test.request().headers)["Authorization"] == "Basic ••••"
    assert "demo-key" not in str(ConnectionTest.objects.values().get())
    assert Connection.objects.tested().get() == connection


def test_a_test_with_attributes_of_ones_own(connection: Connection, crm: CRM) -> None:
    test = run_test(connection, environment="production", attributes={"email": "exists@a.com"})

    assert (crm.received()[0].path, crm.received()[0].email) == (
        "/3.0/lists/production/members",
        "exists@a.com",
    )
    assert (test.environment, test.outcome, test.is_good) == ("production", "duplicate", True)


@pytest.mark.parametrize(
    ("expected", "email", "is_good"),
    [
        ("", "jo@example.com", True),
        ("", "exists@example.com", True),
        ("", "nobody", False),
        ("rejected", "nobody", True),
        ("rejected", "jo@example.com", False),
        ("delivered", "exists@example.com", False),
    ],
)
def test_a_test_is_good_if_its_outcome_is_the_one_that_was_expected(
    connection: Connection, crm: CRM, expected: str, email: str, is_good: bool
) -> None:
    connection.expected_test_outcome = expected

    test = run_test(connection, attributes={"email": email})

    assert (test.is_good, test.expected_outcome) == (is_good, expected)
    assert Connection.objects.tested().exists() is is_good


def test_a_change_makes_a_connection_untested(connection: Connection, crm: CRM) -> None:
    test = run_test(connection)
    assert Connection.objects.with_is_tested().get().is_tested  # type: ignore[attr-defined]

    Connection.objects.update(changed_at=test.started_at + timedelta(seconds=1))

    assert not Connection.objects.tested().exists()
    assert not Connection.objects.with_is_tested().get().is_tested  # type: ignore[attr-defined]


def test_only_the_newest_test_says_whether_a_connection_is_tested(
    connection: Connection, crm: CRM
) -> None:
    run_test(connection)
    run_test(connection, attributes={"email": "nobody"})
    assert not Connection.objects.tested().exists()
    assert not Connection.objects.with_is_tested().get().is_tested  # type: ignore[attr-defined]

    run_test(connection, attributes={"email": "jo@example.com"})
    assert Connection.objects.tested().get() == connection


def test_a_test_without_an_endpoint_says_what_would_help(connection: Connection, crm: CRM) -> None:
    Endpoint.objects.filter(environment="testing").delete()

    with pytest.raises(DescriptionError) as refusal:
        run_test(Connection.objects.get())

    assert refusal.value.field == "endpoints.testing"
    assert refusal.value.message == (
        "The connection has no endpoint for testing: add one, or choose another environment for "
        "tests under Settings."
    )
    assert (crm.received(), ConnectionTest.objects.count()) == ([], 0)


def test_a_connection_is_held_and_released_once(connection: Connection) -> None:
    def state() -> Any:
        return Connection.objects.values_list("state", "state_reason").get()

    assert hold_connection(connection.pk, reason="Refused " + "x" * 600)
    assert state() == ("held", ("Refused " + "x" * 600)[:500])
    assert not hold_connection(connection.pk, reason="Again")
    assert not pause_connection(connection)
    assert release_connection(connection)
    assert state() == ("active", "")
    assert not release_connection(connection)
    assert pause_connection(connection, reason="Moving")
    assert state() == ("paused", "Moving")
