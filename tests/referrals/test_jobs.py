"""Tests of the jobs of referrals, run by a real worker."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from rq.registry import FailedJobRegistry

from config.queue import job_queue
from config.queue.job_queue import waiting_count
from connections.models import Campaign, Link
from connections.simulator import CRM
from referrals.enqueue import wake_workers
from referrals.jobs import deliver_due
from referrals.models import Delivery
from tests.referrals.factories import create_referrals, logged_attempts
from tests.worker import run_jobs


def failed_jobs() -> int:
    return int(FailedJobRegistry(queue=job_queue._queue()).get_job_count())


@pytest.mark.usefixtures("unlimited_slice")
def test_a_worker_delivers_what_is_due(crm: CRM, campaign: Campaign, link: Link) -> None:
    create_referrals(campaign, "jo@example.com", "al@example.com")
    wake_workers()
    wake_workers()

    run_jobs()

    assert logged_attempts() == [(1, "delivered", 200), (1, "delivered", 200)]
    assert (crm.people(), waiting_count(), failed_jobs()) == (2, 0, 0)


@pytest.mark.usefixtures("unlimited_slice")
def test_a_job_that_leaves_deliveries_enqueues_the_next(
    crm: CRM, campaign: Campaign, link: Link, settings: Any, redis: Any
) -> None:
    slice_seconds = settings.DELIVERY_SLICE_SECONDS
    settings.DELIVERY_SLICE_SECONDS = 0
    create_referrals(campaign, "jo@example.com")
    redis.flushdb()

    deliver_due()

    assert waiting_count() == 1
    assert crm.received() == []
    settings.DELIVERY_SLICE_SECONDS = slice_seconds
    deliver_due()
    assert waiting_count() == 1
    assert crm.people() == 1


@pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite has no server to lose.")
@pytest.mark.django_db(transaction=True)
def test_a_worker_survives_a_restart_of_the_database(
    crm: CRM, campaign: Campaign, link: Link
) -> None:
    create_referrals(campaign, "jo@example.com")
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    other = database.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    wake_workers()
    wake_workers()

    run_jobs()

    assert crm.people() == 1
    assert Delivery.objects.get().status == "delivered"
