"""The main job in an installation of real processes: accept, deliver, classify and log."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack import Stack
from tests.timing import scaled


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield an installation with web, worker and tick, and a schedule of short waits."""
    with Stack(tmp_path_factory.mktemp("stack"), TICK_SECONDS="0.2") as stack:
        set_schedule = (
            "from connections.models import Connection;"
            "Connection.objects.update(limits={'schedule': [0, 0.05, 0.05]})"
        )
        stack.manage("shell", "--verbosity", "0", "--command", set_schedule)
        stack.start_web()
        stack.start("worker")
        stack.start("tick")
        yield stack


def create_referral(stack: Stack, email: str, external_id: str = "") -> dict[str, Any]:
    status, response = stack.post(
        {"external_id": external_id or email, "attributes": {"email": email, "first_name": "Jo"}}
    )
    assert status == 202
    [accepted] = response["referrals"]
    return dict(accepted)


def wait_for_delivery(stack: Stack, referral: dict[str, Any]) -> dict[str, Any]:
    """Wait until the referral's one delivery is final; return it."""
    delivery: dict[str, Any] = {}

    def is_final() -> bool:
        status, response = stack.call("GET", f"/api/v1/referrals/{referral['id']}")
        assert status == 200
        [current] = response["deliveries"]
        delivery.update(current)
        return bool(current["status"] != "pending")

    stack.wait_until(is_final, 30)
    return delivery


def attempts(stack: Stack, external_id: str) -> list[tuple[int, str, int | None]]:
    return stack.query(
        "SELECT a.number, a.outcome, a.response_status FROM referrals_deliveryattempt a"
        " JOIN referrals_delivery d ON d.id = a.delivery_id"
        " JOIN referrals_referral r ON r.id = d.referral_id"
        f" WHERE r.external_id = '{external_id}' ORDER BY a.number"
    )


def test_a_referral_reaches_the_crm_within_a_second(stack: Stack) -> None:
    wait_for_delivery(stack, create_referral(stack, "warm@example.com"))
    durations = []
    for number in range(3):
        email = f"jo{number}@example.com"
        began_at = time.monotonic()
        create_referral(stack, email)
        stack.wait_until(lambda email=email: bool(stack.crm.received(email)), 30)  # type: ignore[misc]
        durations.append(time.monotonic() - began_at)

    assert min(durations) < scaled(1), durations


def test_the_crm_receives_one_request_and_the_log_has_the_exchange(stack: Stack) -> None:
    referral = create_referral(stack, "ann@example.com", "order-1")
    assert referral["is_new"]

    assert wait_for_delivery(stack, referral) == {
        "connection": "Demo CRM (JSON)",
        "status": "delivered",
        "outcome": "delivered",
        "attempts": 1,
        "next_attempt_at": None,
        "status_code": 200,
        "error_code": "",
        "reason": "",
        "reference": hashlib.md5(b"ann@example.com").hexdigest(),
    }
    [received] = stack.crm.received("ann@example.com")
    assert (received.status, received.added) == (200, True)
    assert json.loads(received.body) == {
        "email_address": "ann@example.com",
        "status": "subscribed",
        "merge_fields": {"FNAME": "Jo"},
    }
    [(url, headers, body)] = stack.query(
        "SELECT a.request_url, a.request_headers, a.request_body FROM referrals_deliveryattempt a"
        " JOIN referrals_delivery d ON d.id = a.delivery_id"
        " JOIN referrals_referral r ON r.id = d.referral_id WHERE r.external_id = 'order-1'"
    )
    assert url == f"{stack.crm.url}{received.path}"
    assert dict(json.loads(headers)) == {**received.headers, "Authorization": "Basic ••••"}
    assert bytes(body).decode() == received.body


def test_a_repeated_external_id_is_not_sent_again(stack: Stack) -> None:
    first = create_referral(stack, "bob@example.com", "order-2")
    wait_for_delivery(stack, first)

    again = create_referral(stack, "bob@example.com", "order-2")
    wait_for_delivery(stack, create_referral(stack, "next@example.com"))

    assert again == {**first, "is_new": False}
    assert len(stack.crm.received("bob@example.com")) == 1
    assert attempts(stack, "order-2") == [(1, "delivered", 200)]


def test_an_existing_member_is_a_duplicate(stack: Stack) -> None:
    delivery = wait_for_delivery(stack, create_referral(stack, "exists@example.com"))

    assert (delivery["status"], delivery["attempts"], delivery["status_code"]) == (
        "duplicate",
        1,
        400,
    )
    assert delivery["reason"].startswith("exists@example.com is already a list member.")


def test_an_invalid_address_is_rejected(stack: Stack) -> None:
    delivery = wait_for_delivery(stack, create_referral(stack, "nobody"))

    assert (delivery["status"], delivery["attempts"], delivery["status_code"]) == (
        "rejected",
        1,
        400,
    )
    assert delivery["reason"] == "Please provide a valid email address."


def test_a_delivery_that_failed_twice_is_sent_a_third_time(stack: Stack) -> None:
    delivery = wait_for_delivery(stack, create_referral(stack, "flaky@example.com"))

    assert (delivery["status"], delivery["attempts"]) == ("delivered", 3)
    assert attempts(stack, "flaky@example.com") == [
        (1, "unavailable", 500),
        (2, "unavailable", 500),
        (3, "delivered", 200),
    ]
    assert len(stack.crm.received("flaky@example.com")) == 3


def test_an_invalid_referral_is_not_stored(stack: Stack) -> None:
    [(before,)] = stack.query("SELECT count(*) FROM referrals_referral")

    status, response = stack.post([{"external_id": "x", "attributes": {"emial": "x@example.com"}}])

    assert (status, response["errors"]) == (
        422,
        [
            {
                "field": "attributes.emial",
                "message": 'there is no such attribute. Did you mean "email"?',
            }
        ],
    )
    assert stack.query("SELECT count(*) FROM referrals_referral") == [(before,)]
