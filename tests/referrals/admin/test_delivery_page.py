"""One delivery's page and one referral's: the exact exchanges, and what is hidden from whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from connections.core.personal_data import PersonalMask
from connections.models import Account, Campaign, Connection, Link
from connections.operations.connection_tests import run_test
from connections.simulator import CRM
from referrals.customer_data import build_mask
from referrals.models import Delivery, DeliveryAttempt
from tests.referrals.factories import create_referrals, deliver
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("uncollected", "patient")

PERSON = {"first_name": "Jolanda", "last_name": "Sommer", "mobile": "+17327572923"}


@pytest.fixture
def delivery(campaign: Campaign, link: Link) -> Delivery:
    """A delivery that the CRM refused, naming the person."""
    create_referrals(campaign, "exists@example.com", **PERSON)
    deliver()
    return Delivery.objects.get()


@pytest.fixture
def editor(account: Account) -> User:
    return create_user("Eda", account, role="Editor", sees_customers=True)


@pytest.fixture
def browser(editor: User) -> Client:
    return login_client(editor)


@pytest.fixture
def reporter(account: Account) -> Client:
    return login_client(create_user("Rob", account, role="Reporter"))


def page(delivery: Delivery, rest: str = "") -> str:
    return f"/admin/referrals/delivery/{delivery.pk}/{rest}"


def read(browser: Client, address: str) -> str:
    response = browser.get(address, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def do(browser: Client, delivery: Delivery, name: str) -> str:
    """What the person is told."""
    response: Any = browser.post(page(delivery, f"{name}/do/"))
    assert (response.status_code, response.headers["Location"]) == (302, page(delivery, "change/"))
    return [str(message) for message in get_messages(response.wsgi_request)][-1]


def test_the_page_shows_the_exact_exchange_and_why(browser: Client, delivery: Delivery) -> None:
    shown = read(browser, page(delivery, "change/"))
    assert "outcome-duplicate" in shown
    assert "HTTP 400" in shown
    assert "Member Exists → duplicate" in shown
    assert "exists@example.com is already a list member" in shown
    assert "Basic ••••" in shown
    assert '<span class="hl-s2">&quot;Jolanda&quot;</span>' in shown
    assert delivery.idempotency_key in shown


def test_the_page_says_whether_the_connection_is_tested(
    browser: Client, delivery: Delivery
) -> None:
    assert "Untested" in read(browser, page(delivery, "change/"))
    run_test(delivery.connection)
    assert "Untested" not in read(browser, page(delivery, "change/"))


def test_the_newest_attempt_comes_first_and_open(browser: Client, delivery: Delivery) -> None:
    DeliveryAttempt.objects.create(
        delivery=delivery, number=2, trigger="replay", started_at=timezone.now(), outcome="unknown",
        error_code="read_timeout", error_message="No answer within 15 s.",
        reason="No answer within 15 s.",
    )  # fmt: skip
    shown = read(browser, page(delivery, "change/"))
    assert shown.count('<details class="attempt module" open>') == 1
    assert shown.index("read_timeout") < shown.index("Member Exists")
    assert "Not sent." in shown


def test_many_attempts_are_leafed_through(browser: Client, delivery: Delivery) -> None:
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            delivery=delivery, number=number, trigger="retry", started_at=timezone.now(),
            outcome="throttled", reason=f"busy {number};",
        )
        for number in range(2, 41)
    )  # fmt: skip
    shown = read(browser, page(delivery, "change/"))
    assert ("busy 40;" in shown, "busy 16;" in shown, "busy 15;" in shown) == (True, True, False)
    assert "?before=16" in shown
    earlier = read(browser, page(delivery, "change/?before=16"))
    assert ("busy 15;" in earlier, "busy 16;" in earlier) == (True, False)
    assert "Show the latest" in earlier


def test_replay_cancel_and_reread_are_done_and_written_down(
    browser: Client, delivery: Delivery
) -> None:
    assert do(browser, delivery, "replay") == "Replayed deliveries: 1."
    assert do(browser, delivery, "cancel") == "Cancelled deliveries: 1."
    nothing = "Re-read does nothing for it now: see where it stands."
    assert do(browser, delivery, "reread") == nothing
    done = LogEntry.objects.order_by("pk").values_list("user__username", "change_message")
    assert list(done) == [("Eda", "Replayed."), ("Eda", "Cancelled.")]
    assert "Replayed." in read(browser, page(delivery, "history/"))


def test_only_what_makes_sense_is_offered(browser: Client, delivery: Delivery) -> None:
    shown = read(browser, page(delivery, "change/"))
    offered = [name for name in ("replay", "reread", "cancel") if f"{name}/do/" in shown]
    assert offered == ["replay", "reread"]
    do(browser, delivery, "replay")
    shown = read(browser, page(delivery, "change/"))
    offered = [name for name in ("replay", "reread", "cancel") if f"{name}/do/" in shown]
    assert offered == ["replay", "cancel"]


def test_what_a_worker_has_in_hand_is_left_alone(browser: Client, delivery: Delivery) -> None:
    do(browser, delivery, "replay")
    Delivery.objects.update(claimed_at=timezone.now())
    nothing = "Cancel does nothing for it now: see where it stands."
    assert do(browser, delivery, "cancel") == nothing
    assert "An attempt is under way" in read(browser, page(delivery, "change/"))


@pytest.mark.parametrize("name", ["replay", "reread", "cancel"])
def test_a_reporter_does_nothing(reporter: Client, delivery: Delivery, name: str) -> None:
    assert reporter.post(page(delivery, f"{name}/do/")).status_code == 403
    assert f"{name}/do/" not in read(reporter, page(delivery, "change/"))


@pytest.mark.parametrize("rest", ["replay/do/", "nothing/do/"])
def test_looking_changes_nothing(browser: Client, delivery: Delivery, rest: str) -> None:
    assert browser.get(page(delivery, rest)).status_code == 404


@pytest.mark.parametrize(("part", "expected"), [("request", "Jolanda"), ("response", "detail")])
def test_raw_bytes_are_a_file(
    browser: Client, delivery: Delivery, part: str, expected: str
) -> None:
    attempt = delivery.attempts.get()
    response = browser.get(f"/admin/referrals/delivery/attempts/{attempt.pk}/{part}/")
    assert response.content == bytes(getattr(attempt, f"{part}_body"))
    assert expected in response.content.decode()
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="delivery-{delivery.pk}-attempt-1-{part}.txt"'
    )


def test_raw_bytes_take_the_permission_and_the_account(
    reporter: Client, delivery: Delivery
) -> None:
    address = f"/admin/referrals/delivery/attempts/{delivery.attempts.get().pk}/request/"
    assert reporter.get(address).status_code == 403
    other = Account.objects.create(name="Other", slug="other")
    stranger = login_client(create_user("Stan", other, role="Editor", sees_customers=True))
    assert stranger.get(address).status_code == 404


@pytest.mark.parametrize("address", ["attempts/1/other/", "attempts/999/request/", "999/change/"])
def test_what_is_not_there_is_not_found(browser: Client, address: str) -> None:
    assert browser.get(f"/admin/referrals/delivery/{address}", follow=True).status_code == 404


def test_without_the_permission_the_person_is_hidden_and_the_rest_is_not(
    reporter: Client, delivery: Delivery
) -> None:
    shown = read(reporter, page(delivery, "change/"))
    for personal in ("exists@example.com", "Jolanda", "Sommer", "7572923"):
        assert personal not in shown
    assert "•••• is already a list member" in shown
    assert "Member Exists" in shown
    assert "Raw body" not in shown


def test_an_address_that_serves_as_an_id_is_hidden_everywhere(
    reporter: Client, browser: Client, delivery: Delivery
) -> None:
    do(browser, delivery, "replay")
    for address in (
        "/admin/referrals/delivery/",
        "/admin/referrals/referral/",
        page(delivery, "change/"),
        page(delivery, "history/"),
        f"/admin/referrals/referral/{delivery.referral_id}/change/",
        f"/admin/referrals/referral/{delivery.referral_id}/history/",
    ):
        shown = read(reporter, address)
        assert "exists@example.com" not in shown
        assert "••••" in shown
    assert "exists@example.com" in read(browser, "/admin/referrals/delivery/")


def test_a_request_of_a_connection_that_changed_since_is_hidden_whole(
    reporter: Client, browser: Client, delivery: Delivery
) -> None:
    Connection.objects.update(changed_at=timezone.now())
    hidden = read(reporter, page(delivery, "change/"))
    assert "The connection was changed since" in hidden
    assert "merge_fields" not in hidden
    assert "Member Exists" in hidden
    assert "merge_fields" in read(browser, page(delivery, "change/"))


def test_the_mask_is_made_once_for_all_attempts(
    reporter: Client, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Delivery] = []

    def make(one: Delivery) -> PersonalMask:
        made.append(one)
        return build_mask(one)

    monkeypatch.setattr("referrals.admin.attempt_view.build_mask", make)
    DeliveryAttempt.objects.create(
        delivery=delivery, number=2, trigger="retry", started_at=timezone.now(), outcome="unknown"
    )
    read(reporter, page(delivery, "change/"))
    assert made == [delivery]


def test_a_referral_shows_its_attributes_to_whom_may_see_them(
    browser: Client, reporter: Client, delivery: Delivery
) -> None:
    address = f"/admin/referrals/referral/{delivery.referral_id}/change/"
    shown, hidden = read(browser, address), read(reporter, address)
    assert "<bdi>Jolanda</bdi>" in shown
    assert ("Jolanda" in hidden, "<bdi>••••</bdi>" in hidden) == (False, True)
    assert "First name" in hidden


def test_referrals_are_found_by_external_id(browser: Client, delivery: Delivery) -> None:
    found = read(browser, "/admin/referrals/referral/?q=exists")
    assert "1 referral" in found
    assert "Nothing fits." in read(browser, "/admin/referrals/referral/?q=nobody")


def test_latin_1_is_read_and_what_is_no_text_is_numbers(
    browser: Client, delivery: Delivery
) -> None:
    DeliveryAttempt.objects.update(
        request_body=b"\x00\xff\xfe",
        response_body="Grüße".encode("latin-1"),
        response_headers='[["Content-Type", "text/plain; charset=latin-1"]]',
    )
    shown = read(browser, page(delivery, "change/"))
    assert "Grüße" in shown
    assert "00 ff fe" in shown


def test_a_body_that_was_cut_says_so_and_may_end_in_half_a_letter(
    browser: Client, delivery: Delivery
) -> None:
    DeliveryAttempt.objects.update(response_body=(b"x" * (16 * 1024 - 1)) + "ü".encode()[:1])
    shown = read(browser, page(delivery, "change/"))
    assert "Only the first 16 KiB of the body are kept." in shown
    assert "xxxx" in shown


def test_a_delivery_without_an_attempt_says_what_comes(
    browser: Client, campaign: Campaign, link: Link, crm: CRM
) -> None:
    create_referrals(campaign, "jo@example.com")
    shown = read(browser, page(Delivery.objects.get(), "change/"))
    assert "None yet. The first comes as soon as a worker is free" in shown
