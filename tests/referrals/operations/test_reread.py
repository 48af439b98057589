"""Tests of reading stored responses again by today's rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from connections.core.response.matching import classify
from connections.core.response.outcomes import Outcome
from connections.models import Campaign, Connection, Link, ResponseRule
from connections.simulator import CRM
from referrals.models import Delivery, DeliveryAttempt
from referrals.operations import reread as reread_module
from referrals.operations.replay import replay
from referrals.operations.reread import reread
from referrals.statuses import DeliveryStatus, Trigger
from tests.referrals.factories import (
    claim_only,
    create_referrals,
    deliver,
    delivery_statuses,
    get_delivery,
    logged_attempts,
)
from tests.users import SOMEBODY

SECOND = timedelta(seconds=1)


@pytest.fixture
def responded(link: Link, campaign: Campaign, crm: CRM) -> None:
    """Deliver an unrecognised, an accepted and a rejected referral, and empty the CRM."""
    create_referrals(campaign, "odd@example.com", "jo@example.com", "no@mail")
    deliver()
    assert delivery_statuses() == {
        "odd@example.com": "unrecognised",
        "jo@example.com": "delivered",
        "no@mail": "rejected",
    }
    crm.clear()


def add_rule(connection: Connection, outcome: str, **columns: Any) -> None:
    """Add a rule before all others."""
    ResponseRule.objects.update(position=F("position") + 1)
    ResponseRule.objects.create(connection=connection, position=1, outcome=outcome, **columns)


def all_rows() -> list[Any]:
    return [
        *Delivery.objects.order_by("pk").values(),
        *DeliveryAttempt.objects.order_by("pk").values(),
    ]


def test_a_reread_by_the_same_rules_changes_nothing(responded: None) -> None:
    before = all_rows()
    assert reread(Delivery.objects.all(), by=SOMEBODY) == {}
    assert all_rows() == before


def test_a_reread_changes_only_deliveries_with_another_outcome_and_sends_nothing(
    responded: None, connection: Connection, crm: CRM
) -> None:
    before = {name: get_delivery(name).finished_at for name in delivery_statuses()}
    add_rule(connection, "delivered", status="200", where="text", operator="contains", value="soon")

    assert reread(Delivery.objects.all(), by=SOMEBODY) == {"delivered": 1}

    found = get_delivery("odd@example.com")
    assert (found.status, found.outcome, found.due_at) == ("delivered", "delivered", None)
    assert found.finished_at != before["odd@example.com"]
    attempt = found.attempts.get()
    assert (attempt.outcome, attempt.rule) == (
        "delivered",
        "status 200 and text contains soon → delivered",
    )
    for name in ("jo@example.com", "no@mail"):
        assert get_delivery(name).finished_at == before[name]
    assert crm.received() == []


def test_a_reread_can_make_a_delivery_pending_again(
    responded: None, connection: Connection, crm: CRM
) -> None:
    add_rule(
        connection, "unavailable", status="200", where="text", operator="contains", value="soon"
    )
    before = timezone.now()
    assert reread(Delivery.objects.all(), by=SOMEBODY) == {"unavailable": 1}
    found = get_delivery("odd@example.com")
    assert (found.status, found.attempts_used, found.next_trigger) == ("pending", 1, Trigger.RETRY)
    assert found.finished_at is None
    assert found.due_at is not None
    assert before + 5 * SECOND <= found.due_at <= timezone.now() + 5 * SECOND


def test_a_reread_updates_reason_and_reference(responded: None, connection: Connection) -> None:
    Connection.objects.update(reason_path="title", reference_path="status")
    add_rule(connection, "suppressed", status="400")
    assert reread(Delivery.objects.all(), by=SOMEBODY) == {"suppressed": 1}
    attempt = get_delivery("no@mail").attempts.get()
    assert (attempt.reason, attempt.reference) == ("Invalid Resource", "400")


def test_a_reread_classifies_the_last_response(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "jo@example.com")
    deliver()
    replay(Delivery.objects.all(), by=SOMEBODY)
    deliver()
    add_rule(link.connection, "rejected", status="200")
    assert reread(Delivery.objects.all(), by=SOMEBODY) == {}
    add_rule(link.connection, "suppressed", status="400")
    assert reread(Delivery.objects.all(), by=SOMEBODY) == {"suppressed": 1}
    assert logged_attempts() == [(1, "delivered", 200), (2, "suppressed", 400)]


def test_a_reread_leaves_deliveries_that_wait_or_are_in_flight_alone(
    responded: None, connection: Connection, campaign: Campaign
) -> None:
    add_rule(connection, "suppressed", status="2xx")
    odd = Delivery.objects.filter(referral__external_id="odd@example.com")
    replay(odd, by=SOMEBODY)
    before = all_rows()
    assert reread(odd, by=SOMEBODY) == {}
    assert all_rows() == before

    claim_only("odd@example.com")
    assert reread(odd, by=SOMEBODY) == {}


def test_a_replay_during_a_reread_takes_precedence(
    responded: None, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rule(connection, "suppressed", status="2xx")

    def replay_and_classify(*values: Any) -> Any:
        replay(Delivery.objects.filter(referral__external_id="jo@example.com"), by=SOMEBODY)
        return classify(*values)

    monkeypatch.setattr(reread_module, "classify", replay_and_classify)
    assert reread(Delivery.objects.all(), by=SOMEBODY) == {"suppressed": 1}
    assert delivery_statuses()["jo@example.com"] == "pending"
    assert logged_attempts("jo@example.com") == [(1, "delivered", 200)]


def test_a_reread_by_invalid_rules_classifies_as_without_rules(
    responded: None, connection: Connection
) -> None:
    add_rule(connection, "delivered", status="nonsense")
    reread(Delivery.objects.all(), by=SOMEBODY)
    assert delivery_statuses() == {
        "odd@example.com": "delivered",
        "jo@example.com": "delivered",
        "no@mail": "rejected",
    }


def test_every_rereadable_status_is_a_final_outcome() -> None:
    assert not any(status.is_pending for status in reread_module.REREADABLE)
    assert {status.value for status in reread_module.REREADABLE} <= {one.value for one in Outcome}
    assert DeliveryStatus.CANCELLED not in reread_module.REREADABLE
