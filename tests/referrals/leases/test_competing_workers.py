"""Workers that claim at the same moment: each delivery goes to one of them, and none waits long."""

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
from tests.referrals.factories import LEASE, ids, in_threads, numbers, result, waiting

pytestmark = pytest.mark.django_db(transaction=True)

_MAX_SECONDS = 20


@pytest.fixture
def due(campaign: Campaign, connection: Connection) -> list[Delivery]:
    names = [f"jo{number}@example.com" for number in range(120)]
    return waiting(campaign, connection, *names, due=timezone.now() - timedelta(hours=1))


def take(limit: int) -> list[Claim]:
    return claim(limit=limit, now=timezone.now(), lease=LEASE)


def work(limit: int, together: Barrier) -> list[Claim]:
    """What a worker does until nothing is left, from the same moment on as the others."""
    together.wait(_MAX_SECONDS)
    return [taken for claims in iter(partial(take, limit), []) for taken in claims]


def test_no_two_workers_ever_claim_the_same_delivery(due: list[Delivery], settings: Any) -> None:
    together = Barrier(4)
    settings.DELIVERY_THREADS = 500

    found = in_threads(*[partial(work, 7, together) for _ in range(4)])

    taken = [one for claims in found for one in ids(claims)]
    assert len(taken) == 120
    assert sorted(taken) == numbers(due)
    assert Delivery.objects.filter(attempt_number=1).count() == 120


def test_no_two_workers_ever_record_the_same_claim(due: list[Delivery]) -> None:
    claims = take(20)
    together = Barrier(3)

    def finish() -> set[int]:
        together.wait(_MAX_SECONDS)
        return complete([result(one) for one in claims])

    found = in_threads(finish, finish, finish)

    assert sorted(map(len, found)) == [0, 0, 20]
    assert DeliveryAttempt.objects.count() == 20


@pytest.mark.skipif(
    database.vendor != "postgresql", reason="SQLite has one write lock: claims go in turn there."
)
def test_a_worker_leaves_out_what_another_is_claiming(due: list[Delivery]) -> None:
    together = Barrier(2)

    def take_and_linger() -> list[Claim]:
        with transaction.atomic():
            claims = take(5)
            together.wait(_MAX_SECONDS)
        return claims

    first, second = in_threads(take_and_linger, take_and_linger)

    assert sorted(ids(first) + ids(second)) == numbers(due[:10])
