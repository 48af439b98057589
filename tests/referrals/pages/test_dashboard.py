"""Tests of the admin's index: numbers, connections, and what needs a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from config.queue import heartbeats
from config.queue.job_queue import QueueUnavailableError
from connections.models import Account, Campaign, Connection, Link
from connections.operations.pause_hold_release import hold_connection
from referrals.models import BreakerState, Delivery, Referral
from tests.users import SOMEBODY, create_user, login_client

INDEX = "/admin/"

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def create_delivery(
    campaign: Campaign, connection: Connection, name: str, status: str, outcome: str
) -> None:
    at = timezone.now() - timedelta(minutes=5)
    referral = Referral.objects.create(campaign=campaign, external_id=name, accepted_at=at)
    Delivery.objects.create(
        referral=referral, campaign=campaign, connection=connection, status=status, created_at=at,
        outcome=outcome, due_at=at if status == "pending" else None,
    )  # fmt: skip


def get_index(browser: Client, query: str = "") -> str:
    response = browser.get(f"{INDEX}{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_new_installation_shows_the_onboarding_steps(admin_user: User) -> None:
    browser = login_client(admin_user)
    html = get_index(browser)
    assert "From nothing to the first delivery" in html
    assert '<a href="/admin/connections/account/add/">Add an account</a>' in html
    Account.objects.create(name="Acme", slug="acme")
    html = get_index(browser)
    assert '<li class="step-done"> <span>Add an account</span>' in html


def test_the_index_shows_the_numbers_of_the_window(
    browser: Client, campaign: Campaign, connection: Connection
) -> None:
    for number in range(3):
        create_delivery(campaign, connection, f"{number}", "delivered", "delivered")
    create_delivery(campaign, connection, "r", "rejected", "rejected")
    for query, label in (("", "24 hours"), ("?window=hour", "hour"), ("?window=x", "24 hours")):
        html = get_index(browser, query)
        assert f"Accepted in the last {label}" in html
        assert "<strong>4</strong> deliveries" in html
        assert "<strong>75 %</strong> of the finished ones" in html
        assert 'class="tone-rejected"' in html
    assert "From nothing to the first delivery" not in html


def test_the_chart_is_also_shown_as_a_table(
    browser: Client, campaign: Campaign, connection: Connection
) -> None:
    create_delivery(campaign, connection, "a", "delivered", "delivered")
    html = get_index(browser)
    assert '<th scope="col" class="number">Delivered</th>' in html
    assert "the same numbers stand in the table below" in html


def test_deliveries_that_need_a_person_are_counted_and_linked(
    browser: Client, campaign: Campaign, connection: Connection
) -> None:
    create_delivery(campaign, connection, "a", "unrecognised", "unrecognised")
    create_delivery(campaign, connection, "b", "unrecognised", "unrecognised")
    create_delivery(campaign, connection, "c", "unknown", "unknown")
    create_delivery(campaign, connection, "d", "pending", "unauthorized")
    create_delivery(campaign, connection, "e", "pending", "unavailable")
    html = get_index(browser)
    log = "/admin/referrals/delivery/"
    assert f'<a href="{log}?outcome=unrecognised">2 deliveries</a>' in html
    assert f'<a href="{log}?outcome=unknown">1 delivery</a>' in html
    assert f'<a href="{log}?outcome=unauthorized">1 delivery</a>' in html
    assert f"{log}?outcome=unrecognised&amp;connection={connection.pk}" in html
    assert "outcome=unavailable" not in html
    assert "Oldest waits" in html
    assert "5 min" in html


def test_the_index_says_if_nothing_needs_a_person(browser: Client, connection: Connection) -> None:
    assert "Nothing. What is held, unauthorized, unrecognised or unknown" in get_index(browser)


def test_a_held_connection_is_listed_first_with_its_reason(
    browser: Client, connection: Connection, account: Account
) -> None:
    Connection.objects.create(account=account, name="A fine one")
    hold_connection(connection.pk, reason="The CRM refused the credentials.", by=SOMEBODY)
    html = get_index(browser)
    assert "The CRM refused the credentials." in html
    table = html[html.index('id="connections"') :]
    assert table.index("Mailing list") < table.index("A fine one")
    assert "outcome-held" in table


def test_an_open_breaker_is_explained_and_its_connection_is_listed_first(
    browser: Client, connection: Connection, account: Account
) -> None:
    Connection.objects.create(account=account, name="A fine one")
    later = timezone.now() + timedelta(minutes=1)
    BreakerState.objects.create(connection=connection, open_until=later)
    html = get_index(browser)
    table = html[html.index('id="connections"') :]
    assert "outcome-breaker-open" in table
    assert "Breaker open</span>" in table
    assert f"The CRM failed repeatedly; sending is tried again at {later:%H:%M:%S} UTC." in table
    assert table.index("Mailing list") < table.index("A fine one")


@pytest.mark.parametrize(("state", "minutes"), [("active", -1), ("paused", 1), ("held", 1)])
def test_a_breaker_that_is_half_open_or_of_a_stopped_connection_is_not_shown(
    browser: Client, connection: Connection, state: str, minutes: int
) -> None:
    Connection.objects.update(state=state)
    open_until = timezone.now() + timedelta(minutes=minutes)
    BreakerState.objects.create(connection=connection, open_until=open_until)
    html = get_index(browser)
    assert "Breaker open" not in html
    assert f"outcome-{state}" in html


def test_the_index_shows_heartbeats_and_whether_redis_answers(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeats.record_heartbeat(heartbeats.WORKER)
    html = get_index(browser)
    assert "Worker alive" in html
    assert "No heartbeat from the tick" in html

    def away() -> dict[str, datetime]:
        raise QueueUnavailableError

    monkeypatch.setattr(heartbeats, "read_heartbeats", away)
    assert "Redis does not answer" in get_index(browser)


def test_the_index_does_not_count_other_accounts(
    campaign: Campaign, connection: Connection
) -> None:
    create_delivery(campaign, connection, "a", "unrecognised", "unrecognised")
    hold_connection(connection.pk, reason="Refused.", by=SOMEBODY)
    other = Account.objects.create(name="Other", slug="other")
    html = get_index(login_client(create_user("Stan", other, role="Editor")))
    assert "Mailing list" not in html
    assert "Unrecognised" not in html
    assert "Refused." not in html


def test_a_user_without_permissions_sees_no_connections(link: Link) -> None:
    user = create_user("Nobody")
    html = get_index(login_client(user))
    assert "Mailing list" not in html
    assert "Needs a person" not in html


def test_the_index_of_twenty_connections_takes_at_most_16_queries(
    browser: Client, account: Account, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        connection = Connection.objects.create(account=account, name=f"CRM {number}")
        create_delivery(campaign, connection, f"{number}", "unrecognised", "unrecognised")
    with django_assert_max_num_queries(16):
        get_index(browser)


def test_the_navigation_leads_to_the_real_time_referral_page(browser: Client) -> None:
    html = get_index(browser)
    links = ("Connections", "Real-time Referral", "Campaigns", "Delivery log", "Link history")
    for link in links:
        assert f">{link}</a>" in html
    assert html.index(">Connections</a>") < html.index(">Real-time Referral</a>")
