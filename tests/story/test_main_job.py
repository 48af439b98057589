"""The main job on a whole installation: accepted, delivered, classified and logged."""

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
    """Web, worker and tick; what fails is tried again soon."""
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


def create_referrals(stack: Stack, email: str, external_id: str = "") -> dict[str, Any]:
    status, answer = stack.post(
        {"external_id": external_id or email, "attributes": {"email": email, "first_name": "Jo"}}
    )
    assert status == 202
    [accepted] = answer["referrals"]
    return dict(accepted)


def settled(stack: Stack, referral: dict[str, Any]) -> dict[str, Any]:
    """The referral's one delivery, once it waits for nothing more."""
    found: dict[str, Any] = {}

    def is_settled() -> bool:
        status, answer = stack.call("GET", f"/api/v1/referrals/{referral['id']}")
        assert status == 200
        [only] = answer["deliveries"]
        found.update(only)
        return bool(only["status"] != "pending")

    stack.until(is_settled, 30)
    return found


def attempts(stack: Stack, external_id: str) -> list[tuple[int, str, int | None]]:
    return stack.query(
        "SELECT a.number, a.outcome, a.response_status FROM referrals_deliveryattempt a"
        " JOIN referrals_delivery d ON d.id = a.delivery_id"
        " JOIN referrals_referral r ON r.id = d.referral_id"
        f" WHERE r.external_id = '{external_id}' ORDER BY a.number"
    )


def test_a_referral_is_with_the_crm_within_a_second(stack: Stack) -> None:
    settled(stack, create_referrals(stack, "warm@example.com"))
    waits = []
    for number in range(3):
        email = f"jo{number}@example.com"
        began_at = time.monotonic()
        create_referrals(stack, email)
        stack.until(lambda email=email: bool(stack.crm.received(email)), 30)  # type: ignore[misc]
        waits.append(time.monotonic() - began_at)

    assert min(waits) < scaled(1), waits


def test_the_crm_has_the_person_once_and_the_log_has_the_exchange(stack: Stack) -> None:
    referral = create_referrals(stack, "ann@example.com", "order-1")
    assert referral["is_new"]

    assert settled(stack, referral) == {
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


def test_the_same_external_id_again_is_no_second_request(stack: Stack) -> None:
    first = create_referrals(stack, "bob@example.com", "order-2")
    settled(stack, first)

    again = create_referrals(stack, "bob@example.com", "order-2")
    settled(stack, create_referrals(stack, "next@example.com"))

    assert again == {**first, "is_new": False}
    assert len(stack.crm.received("bob@example.com")) == 1
    assert attempts(stack, "order-2") == [(1, "delivered", 200)]


def test_a_member_who_exists_is_a_duplicate(stack: Stack) -> None:
    found = settled(stack, create_referrals(stack, "exists@example.com"))

    assert (found["status"], found["attempts"], found["status_code"]) == ("duplicate", 1, 400)
    assert found["reason"].startswith("exists@example.com is already a list member.")


def test_an_address_that_is_none_is_rejected(stack: Stack) -> None:
    found = settled(stack, create_referrals(stack, "nobody"))

    assert (found["status"], found["attempts"], found["status_code"]) == ("rejected", 1, 400)
    assert found["reason"] == "Please provide a valid email address."


def test_a_crm_that_fails_twice_is_asked_a_third_time(stack: Stack) -> None:
    found = settled(stack, create_referrals(stack, "flaky@example.com"))

    assert (found["status"], found["attempts"]) == ("delivered", 3)
    assert attempts(stack, "flaky@example.com") == [
        (1, "unavailable", 500),
        (2, "unavailable", 500),
        (3, "delivered", 200),
    ]
    assert len(stack.crm.received("flaky@example.com")) == 3


def test_what_is_refused_is_neither_stored_nor_sent(stack: Stack) -> None:
    [(before,)] = stack.query("SELECT count(*) FROM referrals_referral")

    status, answer = stack.post([{"external_id": "x", "attributes": {"emial": "x@example.com"}}])

    assert (status, answer["errors"]) == (
        422,
        [
            {
                "field": "attributes.emial",
                "message": 'there is no such attribute. Did you mean "email"?',
            }
        ],
    )
    assert stack.query("SELECT count(*) FROM referrals_referral") == [(before,)]
