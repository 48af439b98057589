"""The delivery log: its filters, its search, its counts, and what is done from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from connections.models import Account, Campaign, Connection
from referrals.admin import actions, log_search, paging
from referrals.models import Delivery, DeliveryAttempt, Referral
from tests.users import create_user, login_client

LOG = "/admin/referrals/delivery/"

pytestmark = pytest.mark.usefixtures("uncollected")


@pytest.fixture
def browser(account: Account) -> Client:
    return login_client(create_user("Eda", account, role="Editor", sees_customers=True))


@pytest.fixture
def make(campaign: Campaign, connection: Connection) -> Callable[..., Delivery]:
    """A delivery with an attempt; what is not said is ordinary."""

    def make_one(name: str, status: str = "delivered", **columns: Any) -> Delivery:
        own = ("created_at", "outcome", "claimed_at")
        of_delivery = {key: columns.pop(key) for key in own if key in columns}
        at = of_delivery.pop("created_at", timezone.now())
        referral = Referral.objects.create(
            campaign=columns.pop("campaign", campaign), external_id=name, accepted_at=at,
            attributes={"email": f"{name}@Example.com"},
        )  # fmt: skip
        is_pending = status == "pending"
        delivery = Delivery.objects.create(
            referral=referral, campaign=referral.campaign,
            connection=columns.pop("connection", connection), status=status,
            due_at=at if is_pending else None, created_at=at, attempt_number=1,
            finished_at=None if is_pending else at + timedelta(seconds=1.25),
            **{"outcome": "" if is_pending else status, **of_delivery},
        )  # fmt: skip
        values = {"outcome": "delivered", "response_status": 200, **columns}
        DeliveryAttempt.objects.create(
            delivery=delivery, number=1, trigger="first", started_at=at, request_url="https://crm/",
            response_body=b'{"id": 1}', **values,
        )  # fmt: skip
        return delivery

    return make_one


def shown(browser: Client, query: str = "") -> list[str]:
    """The external ids that the log lists, from the first line to the last."""
    response: Any = browser.get(f"{LOG}{query}")
    assert response.status_code == 200
    return [row.referral.external_id for row in response.context["cl"].result_list]


def say(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def do(browser: Client, action: str, *rows: Delivery, query: str = "", **fields: Any) -> Any:
    chosen = [row.pk for row in rows] or "all"
    across = {} if rows else {"select_across": 1}
    content = {"action": action, "_selected_action": chosen, **across, **fields}
    return browser.post(f"{LOG}{query}", content)


def test_an_empty_log_says_what_to_do_next(browser: Client) -> None:
    content = browser.get(LOG).content.decode()
    assert "Nothing has been delivered yet" in content
    assert "/admin/real-time-referral/" in content


def test_a_filter_that_fits_nothing_says_so(browser: Client, make: Any) -> None:
    make("a")
    assert "No delivery fits." in browser.get(f"{LOG}?status=rejected").content.decode()


def test_the_newest_come_first_with_how_long_they_took(browser: Client, make: Any) -> None:
    make("first")
    make("second")
    assert shown(browser) == ["second", "first"]
    assert "after 1.2 s" in browser.get(LOG).content.decode()


def test_filters_by_account_campaign_and_connection(
    browser: Client, make: Any, account: Account, campaign: Campaign, connection: Connection
) -> None:
    other = Connection.objects.create(account=account, name="Other")
    news = Campaign.objects.create(account=account, name="Other", key="o", kind="lead_generation")
    make("a")
    make("b", connection=other, campaign=news)
    assert shown(browser, f"?campaign={campaign.pk}") == ["a"]
    assert shown(browser, f"?connection={other.pk}") == ["b"]
    assert shown(browser, f"?account={account.pk}") == ["b", "a"]
    assert shown(browser, "?account=0") == []


def test_filters_by_status_and_by_last_outcome(browser: Client, make: Any) -> None:
    make("waits", "pending", outcome="unauthorized")
    make("settled", "unauthorized")
    make("cancelled", "cancelled", outcome="throttled")
    make("fine")
    assert shown(browser, "?status=pending") == ["waits"]
    assert shown(browser, "?outcome=unauthorized") == ["settled", "waits"]
    assert shown(browser, "?outcome=throttled") == ["cancelled"]
    assert shown(browser, "?status=pending&outcome=unauthorized") == ["waits"]


def test_filters_by_status_code_and_error_code_of_any_attempt(browser: Client, make: Any) -> None:
    make("busy", response_status=503)
    make("lost", response_status=None, error_code="read_timeout")
    both = make("both", response_status=503)
    DeliveryAttempt.objects.create(
        delivery=both, number=2, trigger="retry", started_at=timezone.now(), outcome="delivered",
        response_status=503,
    )  # fmt: skip
    assert shown(browser, "?code=503") == ["both", "busy"]
    assert shown(browser, "?error=read_timeout") == ["lost"]


def test_filters_by_time(browser: Client, make: Any) -> None:
    now = timezone.now().replace(microsecond=0)
    for days in (3, 2, 1):
        make(f"{days} days", created_at=now - timedelta(days=days))
    two_days = (now - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S")
    assert shown(browser, f"?since={two_days}") == ["1 days", "2 days"]
    assert shown(browser, f"?until={two_days}") == ["3 days"]
    assert shown(browser, f"?since={two_days}&until={two_days}") == []
    assert shown(browser, "?since=2999-01-01T00:00") == []
    assert shown(browser, "?until=1999-01-01T00:00") == []


@pytest.mark.parametrize(
    "query", ["code=x", "campaign=x", "since=x", "outcome=x", "connection=99999999999999999999"]
)
def test_a_filter_that_means_nothing_is_no_error(browser: Client, make: Any, query: str) -> None:
    make("a")
    response = browser.get(f"{LOG}?{query}")
    assert (response.status_code, response.headers["Location"]) == (302, f"{LOG}?e=1")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order-1", ["order-10", "order-1"]),
        ("order-10", ["order-10"]),
        ("ref-7", ["order-2"]),
        ("ORDER", []),
        ("order-2@example.COM", ["order-2"]),
        ("order-2@example", []),
        ("%", []),
    ],
)
def test_a_search_goes_by_external_id_reference_and_address(
    browser: Client, make: Any, text: str, found: list[str]
) -> None:
    make("order-1")
    make("order-2", reference="ref-77")
    make("order-10")
    assert shown(browser, f"?q={text.replace('%', '%25')}") == found


def test_by_address_only_those_find_who_may_see_customers(account: Account, make: Any) -> None:
    make("order-1")
    make("mia@example.com")
    browser = login_client(create_user("Rob", account, role="Reporter"))
    assert shown(browser, "?q=order-1@example.com") == []
    assert shown(browser, "?q=mia@") == []


def test_a_search_finds_nothing_of_other_accounts(make: Any) -> None:
    make("order-1", reference="ref-1")
    other = Account.objects.create(name="Other", slug="other")
    stranger = login_client(create_user("Stan", other, role="Editor", sees_customers=True))
    for text in ("order-1", "ref-1", "order-1@example.com"):
        assert shown(stranger, f"?q={text}") == []


def test_a_search_takes_only_so_many(
    browser: Client, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "MAX_FOUND", 2)
    for number in range(3):
        make(f"order-{number}")
    assert len(shown(browser, "?q=order")) == 2


def test_counting_ends_where_nobody_leafs(
    browser: Client, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_COUNTED", 2)
    for number in range(3):
        make(f"order-{number}")
    content = browser.get(LOG).content.decode()
    assert "There are more than 2." in content
    make_one = browser.get(f"{LOG}?q=order-1").content.decode()
    assert "There are more than" not in make_one


def test_replay_asks_with_the_number_and_then_puts_back(browser: Client, make: Any) -> None:
    rows = [make("a"), make("b", "rejected"), make("c")]
    asked = do(browser, "replay", rows[0], rows[1]).content.decode()
    assert "Replay 2 deliveries?" in asked
    assert Delivery.objects.pending().count() == 0

    response = do(browser, "replay", rows[0], rows[1], confirmed=1)

    assert say(response) == ["Replayed deliveries: 2."]
    pending = Delivery.objects.pending().values_list("referral__external_id", "next_trigger")
    assert set(pending) == {("a", "replay"), ("b", "replay")}
    entries = LogEntry.objects.values_list("user__username", "object_repr", "change_message")
    assert set(entries) == {
        ("Eda", "a → Mailing list", "Replayed."),
        ("Eda", "b → Mailing list", "Replayed."),
    }


def test_all_that_fit_the_filter_are_meant_without_ticking_any(browser: Client, make: Any) -> None:
    make("a", "rejected")
    make("b", "rejected")
    make("c")
    query = "?status=rejected"
    assert "Replay 2 deliveries?" in do(browser, "replay", query=query).content.decode()
    do(browser, "replay", query=query, confirmed=1)
    assert set(Delivery.objects.pending().values_list("referral__external_id", flat=True)) == {
        "a",
        "b",
    }


def test_reread_says_how_many_answers_mean_something_else(
    browser: Client, make: Any, connection: Connection
) -> None:
    make("a", "unrecognised", outcome="unrecognised")
    make("waits", "pending")
    connection.response_rules.all().delete()
    connection.response_rules.create(status="200", outcome="delivered", position=1)
    DeliveryAttempt.objects.update(outcome="unrecognised")

    asked = do(browser, "reread").content.decode()
    assert "Re-read 1 delivery?" in asked
    assert "1 other of the chosen ones is left as it is" in asked
    assert say(do(browser, "reread", confirmed=1)) == ["Answers that mean something else now: 1."]
    assert Delivery.objects.get(referral__external_id="a").status == "delivered"


def test_cancel_concerns_only_what_waits(browser: Client, make: Any) -> None:
    make("waits", "pending")
    make("in hand", "pending", claimed_at=timezone.now())
    make("fine")
    assert "Cancel 1 delivery?" in do(browser, "cancel").content.decode()
    assert say(do(browser, "cancel", confirmed=1)) == ["Cancelled deliveries: 1."]
    statuses = dict(Delivery.objects.values_list("referral__external_id", "status"))
    assert statuses == {"waits": "cancelled", "in hand": "pending", "fine": "delivered"}


def test_too_many_at_once_are_left_to_the_command(
    browser: Client, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MAX_AT_ONCE", 1)
    make("a")
    make("b")
    asked = do(browser, "replay", confirmed=1).content.decode()
    assert "manage.py replay --help" in asked
    assert 'name="confirmed"' not in asked
    assert Delivery.objects.pending().count() == 0


def test_a_reporter_is_offered_nothing_to_do(account: Account, make: Any) -> None:
    row = make("a")
    browser = login_client(create_user("Rob", account, role="Reporter"))
    content = browser.get(LOG).content.decode()
    assert "Replay" not in content
    do(browser, "replay", row, confirmed=1)
    do(browser, "replay", confirmed=1)
    assert Delivery.objects.pending().count() == 0


def test_the_log_takes_as_many_questions_for_many_lines(
    browser: Client, make: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        make(f"order-{number}")
    with django_assert_max_num_queries(14):
        browser.get(LOG)


def test_the_log_reads_no_attribute_and_no_body(
    browser: Client, make: Any, django_assert_max_num_queries: Any
) -> None:
    make("a")
    with django_assert_max_num_queries(20) as queries:
        browser.get(LOG)
    [lines] = [one["sql"] for one in queries if '"external_id"' in one["sql"]]
    for column in ("attributes", '"email"', "document", "secrets"):
        assert column not in lines
