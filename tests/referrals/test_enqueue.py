"""Tests of enqueueing the jobs of referrals."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import transaction

from config.queue import job_queue
from config.queue.job_queue import waiting_count
from connections.models import Campaign, Link
from referrals.enqueue import notify, wake_workers
from referrals.intake import IntakeRefused, accept_referrals
from referrals.models import Delivery, Referral
from referrals.throttling.breaker import Event
from tests.referrals.factories import IntakeClient, create_referrals, item


def enqueued() -> list[tuple[str, list[Any], int]]:
    return [(job.func_name, job.args, job.timeout) for job in job_queue._queue().jobs]


def test_workers_are_woken_by_one_job(settings: Any) -> None:
    wake_workers()
    assert enqueued() == [("referrals.jobs.deliver_due", [], settings.DELIVERY_JOB_TIMEOUT)]


def test_workers_are_woken_by_a_limited_number_of_jobs(settings: Any) -> None:
    for _ in range(20):
        wake_workers()
    assert waiting_count() == settings.MAX_QUEUED_JOBS


def test_people_are_notified_by_a_job() -> None:
    notify(1, Event.OPENED, "gone")
    assert enqueued() == [("referrals.jobs.notify", [1, "opened", "gone"], 60)]


@pytest.mark.django_db(transaction=True)
def test_workers_are_woken_once_the_referral_is_stored(campaign: Campaign, link: Link) -> None:
    with transaction.atomic():
        create_referrals(campaign, "jo@example.com")
        assert waiting_count() == 0
    assert waiting_count() == 1


def test_a_refused_referral_wakes_no_worker(campaign: Campaign, link: Link) -> None:
    with pytest.raises(IntakeRefused):
        accept_referrals(campaign, [item("a", email="jo@example.com"), item("b", age="old")])
    assert waiting_count() == 0
    assert not Referral.objects.exists()


def test_a_burst_of_ten_thousand_leaves_a_handful_of_jobs(
    campaign: Campaign, link: Link, settings: Any
) -> None:
    for batch in range(10):
        create_referrals(campaign, *(f"jo{batch}.{number}@example.com" for number in range(1000)))
        assert waiting_count() == min(batch + 1, settings.MAX_QUEUED_JOBS)
    assert Delivery.objects.pending().count() == 10_000


@pytest.mark.django_db(transaction=True)
def test_a_referral_is_accepted_without_redis(
    redis_down: None, link: Link, intake_client: IntakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    status, response = intake_client.post(
        {"external_id": "a", "attributes": {"email": "jo@example.com"}}
    )

    assert (status, response["referrals"][0]["is_new"]) == (202, True)
    assert Delivery.objects.pending().count() == 1
    [record] = caplog.records
    assert (record.name, record.levelno) == ("config.queue.job_queue", logging.WARNING)
    assert record.message.startswith("referrals.jobs.deliver_due is not enqueued: Error ")
