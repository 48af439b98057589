"""Tests of the pump with lost results, expired leases, interruptions and a failing database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from django.db import DataError, InterfaceError, OperationalError, connection

from connections.models import Campaign, Link
from connections.simulator import CRM
from referrals.delivery import pump
from referrals.delivery.pump import finish_in_flight
from referrals.delivery.thread_pool import ThreadPool
from referrals.leases import ClaimResult, complete
from referrals.models import Delivery
from tests.referrals.delivery.interruption import Interruption
from tests.referrals.factories import create_referrals, deliver, logged_attempts


@pytest.mark.django_db(transaction=True)
def test_a_lost_result_does_not_block_the_pump_for_ever(
    link: Link, campaign: Campaign, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DELIVERY_LEASE_SECONDS = 0.5
    create_referrals(campaign, "a@example.com")

    never = threading.Event()

    def lose(self: ThreadPool[Any], timeout: float) -> list[Any]:
        never.wait(timeout)
        return []

    monkeypatch.setattr(ThreadPool, "collect", lose)
    assert deliver() == {}
    finish_in_flight()
    assert Delivery.objects.get().claimed_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_claim_whose_lease_ends_too_soon_is_not_sent(
    link: Link, campaign: Campaign, crm: CRM, settings: Any
) -> None:
    settings.DELIVERY_LEASE_SECONDS = settings.DELIVERY_TOTAL_TIMEOUT - 1
    create_referrals(campaign, "a@example.com")
    assert deliver() == {}
    assert crm.received() == []
    assert Delivery.objects.get().claimed_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_result_that_the_database_refuses_loses_no_other_result(
    link: Link,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com", "c@example.com")
    refused = Delivery.objects.get(referral__external_id="b@example.com")

    def refuse(results: Sequence[ClaimResult]) -> set[int]:
        if any(one.delivery_id == refused.pk for one in results):
            raise DataError("invalid byte sequence")
        return complete(results)

    monkeypatch.setattr(pump, "complete", refuse)
    assert deliver() == {"delivered": 2}
    assert f"The answer for delivery {refused.pk} was lost" in caplog.text
    refused.refresh_from_db()
    assert refused.status == "pending"
    assert refused.claimed_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_short_outage_of_the_database_loses_no_result(
    link: Link, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")
    failures = iter([OperationalError("gone"), InterfaceError("closed")])

    def fail_twice(results: Sequence[ClaimResult]) -> set[int]:
        for error in failures:
            raise error
        return complete(results)

    monkeypatch.setattr(pump, "complete", fail_twice)
    assert deliver() == {"delivered": 2}
    assert logged_attempts("a@example.com") == [(1, "delivered", 200)]


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_slice_leaves_a_clean_connection_and_loses_no_result(
    link: Link, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")

    def interrupt(now: datetime) -> bool:
        # As a job's timeout may come: in the middle of a transaction of which Django knows nothing.
        connection.ensure_connection()
        connection.connection.execute("BEGIN")
        raise Interruption

    with monkeypatch.context() as broken:
        broken.setattr(pump, "has_due", interrupt)
        broken.setattr(pump._Pump, "_claim_some", claim_and_say_no(pump._Pump._claim_some))
        with pytest.raises(Interruption):
            deliver()
    finish_in_flight()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}

    create_referrals(campaign, "c@example.com")
    assert deliver() == {"delivered": 1}


def claim_and_say_no(claim_some: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """So that the slice goes on to ask whether anything is due."""

    def claim(self: Any) -> bool:
        claim_some(self)
        return False

    return claim
