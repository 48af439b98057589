"""A pump to which things happen: somebody slow, an interruption, an answer that nobody can keep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import DataError, InterfaceError, OperationalError, connection

from connections.models import Campaign, Link
from connections.simulator import CRM
from referrals.delivery import pump
from referrals.delivery import thread_pool as module
from referrals.delivery.pump import finish_in_flight
from referrals.delivery.thread_pool import ThreadPool
from referrals.leases import ClaimResult, complete
from referrals.models import Delivery
from tests.referrals.factories import create_referrals, deliver, log

PATIENCE = 20.0


class Interruption(Exception):  # noqa: N818 - as a signal handler may raise it.
    """Comes in the middle of anything."""


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What waits here is slow until it opens."""
    made = threading.Event()
    yield made
    made.set()


def number(value: int) -> int:
    return value


def slow(gate: threading.Event, value: int) -> int:
    assert gate.wait(PATIENCE)
    return value


def collect(senders: ThreadPool[int], count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        found += senders.collect(PATIENCE)
    return found


def test_a_thread_that_waits_for_somebody_slow_is_replaced(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLOW_SECONDS", 0.0)
    senders: ThreadPool[int] = ThreadPool(2)
    for value in (1, 2):
        senders.submit(partial(slow, gate, value))
    while senders.free < 2:
        senders.collect(0.001)

    senders.submit(partial(number, 3))
    assert collect(senders, 1) == [3]

    gate.set()
    assert sorted(collect(senders, 2)) == [1, 2]
    senders.close()


def test_those_that_are_replaced_are_limited_too(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLOW_SECONDS", 0.0)
    senders: ThreadPool[int] = ThreadPool(2)
    for value in range(20):
        senders.submit(partial(slow, gate, value))
    while senders._allowed() < 8:
        senders.collect(0.001)
    senders.collect(0.001)
    assert (senders.free, len(senders._threads)) == (-12, 8)

    gate.set()
    assert sorted(collect(senders, 20)) == list(range(20))
    senders.close()


def test_who_is_not_slow_is_not_replaced(gate: threading.Event) -> None:
    senders: ThreadPool[int] = ThreadPool(1)
    senders.submit(partial(slow, gate, 1))
    assert senders.free == 0
    gate.set()
    assert collect(senders, 1) == [1]
    assert senders.free == 1
    senders.close()


def test_a_failure_costs_nobody_else_an_answer() -> None:
    senders: ThreadPool[int] = ThreadPool(1)

    def fail() -> int:
        raise LookupError("no such thing")

    for work in (partial(number, 1), fail, partial(number, 2)):
        senders.submit(work)
    found: list[int] = []
    failures = 0
    while senders.in_flight:
        try:
            found += senders.collect(PATIENCE)
        except LookupError:
            failures += 1
    assert (found, failures) == ([1, 2], 1)
    senders.close()


def test_what_was_submitted_is_collected_although_the_submission_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    senders: ThreadPool[int] = ThreadPool(1)

    def interrupted(thread: threading.Thread) -> None:
        raise Interruption

    with monkeypatch.context() as signal:
        signal.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(Interruption):
            senders.submit(partial(number, 1))

    assert senders.in_flight == 1
    assert senders.collect(PATIENCE) == [1]
    senders.close()


def test_a_thread_whose_start_was_interrupted_keeps_nobody_from_closing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    senders: ThreadPool[int] = ThreadPool(2)
    start = threading.Thread.start

    def started_but_interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise Interruption

    with monkeypatch.context() as signal:
        signal.setattr(threading.Thread, "start", started_but_interrupted)
        with pytest.raises(Interruption):
            senders.submit(partial(number, 1))
    senders.submit(partial(number, 2))

    assert sorted(collect(senders, 2)) == [1, 2]
    before = set(threading.enumerate())
    senders.close()
    for thread in before - {threading.current_thread()}:
        if thread.name == "sender":
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_lost_on_the_way_keeps_nobody_waiting_for_ever(
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
def test_what_a_frozen_worker_finds_in_its_hands_too_late_is_not_sent(
    link: Link, campaign: Campaign, crm: CRM, settings: Any
) -> None:
    settings.DELIVERY_LEASE_SECONDS = settings.DELIVERY_TOTAL_TIMEOUT - 1
    create_referrals(campaign, "a@example.com")
    assert deliver() == {}
    assert crm.received() == []
    assert Delivery.objects.get().claimed_at is not None


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_the_database_refuses_costs_the_others_nothing(
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
def test_a_database_that_is_away_for_a_moment_costs_no_answer(
    link: Link, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")
    monkeypatch.setattr(pump, "_RECORD_AGAIN_SECONDS", 0.0)
    failures = iter([OperationalError("gone"), InterfaceError("closed")])

    def fail_twice(results: Sequence[ClaimResult]) -> set[int]:
        for error in failures:
            raise error
        return complete(results)

    monkeypatch.setattr(pump, "complete", fail_twice)
    assert deliver() == {"delivered": 2}
    assert log("a@example.com") == [(1, "delivered", 200)]


@pytest.mark.django_db(transaction=True)
def test_a_slice_that_breaks_off_leaves_a_sound_connection_and_no_answer_behind(
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
