"""The admin's index: what it says of deliveries, connections, people's work and signs of life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from redis.exceptions import RedisError

from config.queue import heartbeats
from connections.models import Account, Campaign, Connection, Link
from connections.operations.states import hold_connection
from referrals.models import BreakerState, Delivery, Referral
from referrals.monitoring.statistics import Step
from referrals.pages.charts import HEIGHT, WIDTH, chart, sparkline
from referrals.templatetags.formatting import age, duration, milliseconds, percent
from tests.users import create_user, login_client

INDEX = "/admin/"
START = datetime(2026, 3, 10, 14, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("uncollected")


@pytest.fixture
def browser(account: Account) -> Client:
    return login_client(create_user("Eda", account, role="Editor"))


def make(campaign: Campaign, connection: Connection, name: str, status: str, outcome: str) -> None:
    at = timezone.now() - timedelta(minutes=5)
    referral = Referral.objects.create(campaign=campaign, external_id=name, accepted_at=at)
    Delivery.objects.create(
        referral=referral, campaign=campaign, connection=connection, status=status, created_at=at,
        outcome=outcome, due_at=at if status == "pending" else None,
    )  # fmt: skip


def text(browser: Client, query: str = "") -> str:
    response = browser.get(f"{INDEX}{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_new_installation_says_what_to_do_and_what_is_done(admin_user: User) -> None:
    browser = login_client(admin_user)
    shown = text(browser)
    assert "From nothing to the first delivery" in shown
    assert '<a href="/admin/connections/account/add/">Add an account</a>' in shown
    Account.objects.create(name="Acme", slug="acme")
    shown = text(browser)
    assert '<li class="step-done"> <span>Add an account</span>' in shown


def test_numbers_of_the_window_are_shown(
    browser: Client, campaign: Campaign, connection: Connection
) -> None:
    for number in range(3):
        make(campaign, connection, f"{number}", "delivered", "delivered")
    make(campaign, connection, "r", "rejected", "rejected")
    for query, label in (("", "24 hours"), ("?window=hour", "hour"), ("?window=x", "24 hours")):
        shown = text(browser, query)
        assert f"Accepted in the last {label}" in shown
        assert "<strong>4</strong> deliveries" in shown
        assert "<strong>75 %</strong> of the settled ones" in shown
        assert 'class="tone-rejected"' in shown
    assert "From nothing to the first delivery" not in shown


def test_the_chart_is_a_table_as_well(
    browser: Client, campaign: Campaign, connection: Connection
) -> None:
    make(campaign, connection, "a", "delivered", "delivered")
    shown = text(browser)
    assert '<th scope="col" class="number">Delivered</th>' in shown
    assert "the same numbers stand in the table below" in shown


def test_what_needs_a_person_is_counted_and_linked(
    browser: Client, campaign: Campaign, connection: Connection
) -> None:
    make(campaign, connection, "a", "unrecognised", "unrecognised")
    make(campaign, connection, "b", "unrecognised", "unrecognised")
    make(campaign, connection, "c", "unknown", "unknown")
    make(campaign, connection, "d", "pending", "unauthorized")
    make(campaign, connection, "e", "pending", "unavailable")
    shown = text(browser)
    log = "/admin/referrals/delivery/"
    assert f'<a href="{log}?outcome=unrecognised">2 deliveries</a>' in shown
    assert f'<a href="{log}?outcome=unknown">1 delivery</a>' in shown
    assert f'<a href="{log}?outcome=unauthorized">1 delivery</a>' in shown
    assert f"{log}?outcome=unrecognised&amp;connection={connection.pk}" in shown
    assert "outcome=unavailable" not in shown
    assert "Oldest waits" in shown
    assert "5 min" in shown


def test_nothing_that_needs_a_person_is_said(browser: Client, connection: Connection) -> None:
    assert "Nothing. What is held, unauthorized, unrecognised or unknown" in text(browser)


def test_a_held_connection_stands_first_with_its_reason(
    browser: Client, connection: Connection, account: Account
) -> None:
    Connection.objects.create(account=account, name="A fine one")
    hold_connection(connection.pk, reason="The CRM refused the credentials.")
    shown = text(browser)
    assert "The CRM refused the credentials." in shown
    table = shown[shown.index('id="health"') :]
    assert table.index("Mailing list") < table.index("A fine one")
    assert "outcome-held" in table


def test_a_resting_connection_says_so(browser: Client, connection: Connection) -> None:
    later = timezone.now() + timedelta(minutes=1)
    BreakerState.objects.create(connection=connection, open_until=later)
    assert "outcome-resting" in text(browser)


def test_signs_of_life(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeats.record_heartbeat(heartbeats.WORKER)
    shown = text(browser)
    assert "Worker alive" in shown
    assert "No sign of the tick" in shown

    def away() -> dict[str, datetime]:
        raise RedisError

    monkeypatch.setattr(heartbeats, "read_heartbeats", away)
    assert "Redis does not answer" in text(browser)


def test_other_accounts_are_not_counted(campaign: Campaign, connection: Connection) -> None:
    make(campaign, connection, "a", "unrecognised", "unrecognised")
    hold_connection(connection.pk, reason="Refused.")
    other = Account.objects.create(name="Other", slug="other")
    shown = text(login_client(create_user("Stan", other, role="Editor")))
    assert "Mailing list" not in shown
    assert "Unrecognised" not in shown
    assert "Refused." not in shown


def test_whoever_may_not_see_deliveries_sees_the_list_of_pages(link: Link) -> None:
    user = create_user("Nobody")
    shown = text(login_client(user))
    assert "Mailing list" not in shown
    assert "Needs a person" not in shown


def test_the_index_takes_as_many_questions_for_many_connections(
    browser: Client, account: Account, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        connection = Connection.objects.create(account=account, name=f"CRM {number}")
        make(campaign, connection, f"{number}", "unrecognised", "unrecognised")
    with django_assert_max_num_queries(16):
        text(browser)


def test_the_navigation_leads_to_the_real_time_referral_page(browser: Client) -> None:
    shown = text(browser)
    links = ("Connections", "Real-time Referral", "Campaigns", "Delivery log", "Link history")
    for link in links:
        assert f">{link}</a>" in shown
    assert shown.index(">Connections</a>") < shown.index(">Real-time Referral</a>")


def test_bars_are_stacked_on_the_scale_of_the_highest() -> None:
    steps = [
        Step(start=START, counts={"delivered": 3, "pending": 1}),
        Step(start=START + timedelta(hours=1), counts={}),
        Step(start=START + timedelta(hours=2), counts={"rejected": 2, "delivered": 0}),
    ]
    made = chart(steps)
    assert (made.highest, made.statuses) == (4, ["delivered", "rejected", "pending"])
    first, empty, last = made.bars
    assert [(one.status, one.y, one.height) for one in first.segments] == [
        ("delivered", 40.0, 120.0),
        ("pending", 0.0, 40.0),
    ]
    assert empty.segments == []
    assert [(one.status, one.y, one.height) for one in last.segments] == [("rejected", 80.0, 80.0)]
    assert last.x + last.width <= WIDTH
    assert made.rows == [
        (START, [3, 0, 1], 4),
        (START + timedelta(hours=2), [0, 2, 0], 2),
    ]


def test_what_there_is_little_of_is_still_seen() -> None:
    [bar] = chart([Step(start=START, counts={"delivered": 100_000, "rejected": 1})]).bars
    assert [one.height for one in bar.segments] == [HEIGHT, 1.5]
    assert all(one.y >= 0 for one in bar.segments)


@pytest.mark.parametrize(
    ("totals", "points"),
    [((), ""), ((5,), ""), ((0, 0), ""), ((0, 4), "0.0,21.0 96.0,1.0")],
)
def test_a_sparkline_goes_from_left_to_right(totals: tuple[int, ...], points: str) -> None:
    assert sparkline(totals) == points


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "–"),
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50 %"),
        (0.9876, "98.8 %"),
        (0.99999, "> 99.9 %"),
    ],
)
def test_a_share_in_words(share: float | None, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.052, "52 ms"),
        (1.25, "1.2 s"),
        (59, "59 s"),
        (61, "1 min"),
        (7300, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_what_is_not_known_is_a_dash() -> None:
    assert (milliseconds(None), age(None), milliseconds(1300)) == ("–", "–", "1.3 s")
    assert age(timezone.now() - timedelta(minutes=3, seconds=1)) == "3 min"
