"""Tests of the actions on deliveries, in the log and on a delivery's page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connections.models import Account, Connection
from referrals.admin import actions
from referrals.models import Delivery, DeliveryAttempt
from tests.history import history
from tests.referrals.admin.helpers import (
    LOG,
    get_html,
    messages,
    page_url,
    run_action,
    run_bulk_action,
)
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static", "unlimited_slice")


def test_the_replay_action_asks_with_the_number_and_then_replays(
    browser: Client, create_delivery: Any
) -> None:
    rows = [create_delivery("a"), create_delivery("b", "rejected"), create_delivery("c")]
    confirmation = run_bulk_action(browser, "replay", rows[0], rows[1]).content.decode()
    assert "Replay 2 deliveries?" in confirmation
    assert Delivery.objects.pending().count() == 0

    response = run_bulk_action(browser, "replay", rows[0], rows[1], confirmed=1)

    assert messages(response) == ["Replayed deliveries: 2."]
    pending = Delivery.objects.pending().values_list("referral__external_id", "next_trigger")
    assert set(pending) == {("a", "replay"), ("b", "replay")}
    replayed = [("Eda", "admin", "Replayed.")]
    assert [history(row) for row in rows] == [replayed, replayed, []]


def test_an_action_across_all_pages_applies_to_every_filtered_delivery(
    browser: Client, create_delivery: Any
) -> None:
    create_delivery("a", "rejected")
    create_delivery("b", "rejected")
    create_delivery("c")
    query = "?status=rejected"
    assert (
        "Replay 2 deliveries?" in run_bulk_action(browser, "replay", query=query).content.decode()
    )
    run_bulk_action(browser, "replay", query=query, confirmed=1)
    assert set(Delivery.objects.pending().values_list("referral__external_id", flat=True)) == {
        "a",
        "b",
    }


def test_the_reread_action_says_how_many_outcomes_changed(
    browser: Client, create_delivery: Any, connection: Connection
) -> None:
    create_delivery("a", "unrecognised", outcome="unrecognised")
    create_delivery("waits", "pending")
    connection.response_rules.all().delete()
    connection.response_rules.create(status="200", outcome="delivered", position=1)
    DeliveryAttempt.objects.update(outcome="unrecognised")

    confirmation = run_bulk_action(browser, "reread").content.decode()
    assert "Re-read 1 delivery?" in confirmation
    assert "1 other of the chosen ones is left as it is" in confirmation
    assert messages(run_bulk_action(browser, "reread", confirmed=1)) == [
        "Answers that mean something else now: 1."
    ]
    assert Delivery.objects.get(referral__external_id="a").status == "delivered"


def test_the_cancel_action_cancels_only_deliveries_that_wait(
    browser: Client, create_delivery: Any
) -> None:
    create_delivery("waits", "pending")
    create_delivery("in flight", "pending", claimed_at=timezone.now())
    create_delivery("fine")
    assert "Cancel 1 delivery?" in run_bulk_action(browser, "cancel").content.decode()
    assert messages(run_bulk_action(browser, "cancel", confirmed=1)) == ["Cancelled deliveries: 1."]
    statuses = dict(Delivery.objects.values_list("referral__external_id", "status"))
    assert statuses == {"waits": "cancelled", "in flight": "pending", "fine": "delivered"}


def test_an_action_on_too_many_deliveries_is_left_to_the_command(
    browser: Client, create_delivery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MAX_AT_ONCE", 1)
    create_delivery("a")
    create_delivery("b")
    confirmation = run_bulk_action(browser, "replay", confirmed=1).content.decode()
    assert "manage.py replay --help" in confirmation
    assert 'name="confirmed"' not in confirmation
    assert Delivery.objects.pending().count() == 0


def test_a_reporter_is_offered_no_action_in_the_log(account: Account, create_delivery: Any) -> None:
    row = create_delivery("a")
    browser = login_client(create_user("Rob", account, role="Reporter"))
    content = browser.get(LOG).content.decode()
    assert "Replay" not in content
    run_bulk_action(browser, "replay", row, confirmed=1)
    run_bulk_action(browser, "replay", confirmed=1)
    assert Delivery.objects.pending().count() == 0


def test_actions_on_the_page_are_recorded_in_the_history(
    browser: Client, delivery: Delivery
) -> None:
    assert run_action(browser, delivery, "replay") == "Replayed deliveries: 1."
    assert run_action(browser, delivery, "cancel") == "Cancelled deliveries: 1."
    nothing = "Re-read does nothing for it now: see where it stands."
    assert run_action(browser, delivery, "reread") == nothing
    assert history(delivery) == [("Eda", "admin", "Replayed."), ("Eda", "admin", "Cancelled.")]
    assert "Replayed." in get_html(browser, page_url(delivery, "history/"))


def test_the_page_offers_only_actions_that_apply(browser: Client, delivery: Delivery) -> None:
    html = get_html(browser, page_url(delivery, "change/"))
    offered = [name for name in ("replay", "reread", "cancel") if f"action/{name}/" in html]
    assert offered == ["replay", "reread"]
    run_action(browser, delivery, "replay")
    html = get_html(browser, page_url(delivery, "change/"))
    offered = [name for name in ("replay", "reread", "cancel") if f"action/{name}/" in html]
    assert offered == ["replay", "cancel"]


def test_a_delivery_in_flight_cannot_be_cancelled(browser: Client, delivery: Delivery) -> None:
    run_action(browser, delivery, "replay")
    Delivery.objects.update(claimed_at=timezone.now())
    nothing = "Cancel does nothing for it now: see where it stands."
    assert run_action(browser, delivery, "cancel") == nothing
    assert "An attempt is in flight" in get_html(browser, page_url(delivery, "change/"))


@pytest.mark.parametrize("name", ["replay", "reread", "cancel"])
def test_a_reporter_is_refused_every_action_on_the_page(
    reporter: Client, delivery: Delivery, name: str
) -> None:
    assert reporter.post(page_url(delivery, f"action/{name}/")).status_code == 403
    assert f"action/{name}/" not in get_html(reporter, page_url(delivery, "change/"))


@pytest.mark.parametrize("rest", ["action/replay/", "action/nothing/"])
def test_an_action_is_not_found_by_get(browser: Client, delivery: Delivery, rest: str) -> None:
    assert browser.get(page_url(delivery, rest)).status_code == 404
