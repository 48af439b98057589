"""Tests of workers that claim and complete at the same moment."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from connections.models import Campaign, Connection
from referrals.leases import Claim, claim, complete
from referrals.models import Delivery, DeliveryAttempt
from tests.referrals.factories import (
    LEASE,
    build_result,
    claimed_ids,
    create_pending,
    pks,
    run_in_threads,
)
from tests.timing import WAIT_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def due(campaign: Campaign, connection: Connection) -> list[Delivery]:
    names = [f"jo{number}@example.com" for number in range(120)]
    return create_pending(campaign, connection, *names, due=timezone.now() - timedelta(hours=1))


def claim_now(limit: int) -> list[Claim]:
    return claim(limit=limit, now=timezone.now(), lease=LEASE)


def claim_all(limit: int, together: Barrier) -> list[Claim]:
    """Claim until nothing is left, beginning at the same moment as the other workers."""
    together.wait(WAIT_SECONDS)
    return [claimed for claims in iter(partial(claim_now, limit), []) for claimed in claims]


def test_two_workers_never_claim_the_same_delivery(due: list[Delivery], settings: Any) -> None:
    together = Barrier(4)
    settings.DELIVERY_THREADS = 500

    found = run_in_threads(*[partial(claim_all, 7, together) for _ in range(4)])

    claimed = [one for claims in found for one in claimed_ids(claims)]
    assert len(claimed) == 120
    assert sorted(claimed) == pks(due)
    assert Delivery.objects.filter(attempt_number=1).count() == 120


def test_two_workers_never_complete_the_same_claim(due: list[Delivery]) -> None:
    claims = claim_now(20)
    together = Barrier(3)

    def finish() -> set[int]:
        together.wait(WAIT_SECONDS)
        return complete([build_result(one) for one in claims])

    found = run_in_threads(finish, finish, finish)

    assert sorted(map(len, found)) == [0, 0, 20]
    assert DeliveryAttempt.objects.count() == 20


@pytest.mark.skipif(
    database.vendor != "postgresql", reason="SQLite has one write lock: claims go in turn there."
)
def test_a_worker_skips_deliveries_that_another_is_claiming(due: list[Delivery]) -> None:
    together = Barrier(2)

    def claim_and_linger() -> list[Claim]:
        with transaction.atomic():
            claims = claim_now(5)
            together.wait(WAIT_SECONDS)
        return claims

    first, second = run_in_threads(claim_and_linger, claim_and_linger)

    assert sorted(claimed_ids(first) + claimed_ids(second)) == pks(due[:10])
