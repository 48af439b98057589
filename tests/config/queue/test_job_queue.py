"""The doorbell: few jobs whatever comes in, and a Redis that is away costs no referral."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django_rq import get_worker
from redis.exceptions import RedisError
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from config import shutdown
from config.queue import job_queue
from connections.models import Account, Campaign, Link
from connections.simulator import CRM
from referrals.intake import IntakeRefused, accept_referrals
from referrals.jobs import deliver_due
from referrals.models import Delivery, Referral
from referrals.throttling.breaker import Event
from tests.referrals.factories import Door, create_referrals, item, log


@pytest.fixture
def redis_away(settings: Any) -> Iterator[None]:
    """Nobody listens where Redis should be."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{unheard.getsockname()[1]}/0"
        forget_redis()
        yield
    forget_redis()


def forget_redis() -> None:
    job_queue.redis_connection.cache_clear()
    job_queue._queue.cache_clear()


def run_jobs() -> None:
    """A worker that ends when no job waits; it changes what signals do, which is put right."""
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {name: signal.getsignal(name) for name in names}
    worker = get_worker(
        job_queue.QUEUE, worker_class=job_queue.DeliveryWorker, serializer=JSONSerializer
    )
    try:
        worker.work(burst=True, logging_level="ERROR")
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def failed_jobs() -> int:
    return int(FailedJobRegistry(queue=job_queue._queue()).get_job_count())


def test_a_ring_leaves_one_job() -> None:
    assert job_queue.waiting_jobs() == 0
    job_queue.wake_workers()
    assert job_queue.waiting_jobs() == 1


@pytest.mark.parametrize("depth", [1, 4])
def test_many_rings_leave_no_more_jobs_than_workers_have_use_for(settings: Any, depth: int) -> None:
    settings.MAX_QUEUED_JOBS = depth
    for _ in range(20):
        job_queue.wake_workers()
    assert job_queue.waiting_jobs() == depth


def test_a_job_is_plain_json_that_any_worker_reads(settings: Any) -> None:
    job_queue.wake_workers()

    [job] = job_queue._queue().jobs
    assert (job.func_name, job.args, job.kwargs) == ("referrals.jobs.deliver_due", [], {})
    assert job.timeout == settings.DELIVERY_JOB_TIMEOUT
    assert job.serializer is JSONSerializer


@pytest.mark.django_db(transaction=True)
def test_the_bell_is_rung_once_the_referral_is_stored(campaign: Campaign, link: Link) -> None:
    with transaction.atomic():
        create_referrals(campaign, "jo@example.com")
        assert job_queue.waiting_jobs() == 0
    assert job_queue.waiting_jobs() == 1


def test_a_referral_that_is_not_stored_rings_no_bell(campaign: Campaign, link: Link) -> None:
    with pytest.raises(IntakeRefused):
        accept_referrals(campaign, [item("a", email="jo@example.com"), item("b", age="old")])
    assert job_queue.waiting_jobs() == 0
    assert not Referral.objects.exists()


def test_a_burst_of_ten_thousand_leaves_a_handful_of_jobs(
    campaign: Campaign, link: Link, settings: Any
) -> None:
    for batch in range(10):
        create_referrals(campaign, *(f"jo{batch}.{number}@example.com" for number in range(1000)))
        assert job_queue.waiting_jobs() == min(batch + 1, settings.MAX_QUEUED_JOBS)
    assert Delivery.objects.pending().count() == 10_000


ENQUEUED: dict[str, Callable[[], object]] = {
    "referrals.jobs.deliver_due": job_queue.wake_workers,
    "referrals.jobs.tell": lambda: job_queue.notify(1, Event.OPENED, "gone"),
    "referrals.jobs.test_connection": lambda: job_queue.enqueue_test(1, None),
}


@pytest.mark.parametrize("name", ENQUEUED)
@pytest.mark.django_db(transaction=True)
def test_every_job_is_enqueued_once_the_transaction_is_committed(name: str) -> None:
    with transaction.atomic():
        with transaction.atomic():
            ENQUEUED[name]()
        assert job_queue.waiting_jobs() == 0
    assert [job.func_name for job in job_queue._queue().jobs] == [name]


@pytest.mark.parametrize("name", ENQUEUED)
@pytest.mark.django_db(transaction=True)
def test_no_job_is_enqueued_for_what_was_rolled_back(name: str) -> None:
    with transaction.atomic():
        ENQUEUED[name]()
        transaction.set_rollback(True)

    ENQUEUED[name]()
    assert job_queue.waiting_jobs() == 1


@pytest.mark.parametrize("name", ENQUEUED)
def test_a_job_needs_no_database(name: str) -> None:
    ENQUEUED[name]()

    assert job_queue.waiting_jobs() == 1


@pytest.mark.django_db(transaction=True)
def test_a_test_is_found_under_the_id_that_was_told_before_the_commit() -> None:
    with transaction.atomic():
        job_id = job_queue.enqueue_test(7, None)
        assert job_queue.find_test(job_id) is None

    assert job_queue.find_test(job_id).args == [7, None]


def test_without_redis_a_test_is_refused(redis_away: None) -> None:
    with pytest.raises(RedisError):
        job_queue.enqueue_test(7, None)


@pytest.mark.django_db(transaction=True)
def test_without_redis_what_was_saved_with_a_test_stays_saved(
    redis_away: None, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction.atomic():
        account.name = "Acme and Sons"
        account.save()
        job_queue.enqueue_test(7, None)

    assert Account.objects.get().name == "Acme and Sons"
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message.startswith("Error calling enqueue_test.<locals>.enqueue in on_commit()")


def test_a_bell_out_of_order_is_a_warning(
    redis_away: None, caplog: pytest.LogCaptureFixture
) -> None:
    job_queue.wake_workers()

    [record] = caplog.records
    assert (record.name, record.levelno) == ("config.queue.job_queue", logging.WARNING)
    assert record.message.startswith(
        "The doorbell is out of order, deliveries wait for the tick: Error "
    )
    with pytest.raises(RedisError):
        job_queue.waiting_jobs()


@pytest.mark.django_db(transaction=True)
def test_without_redis_a_referral_is_accepted_all_the_same(
    redis_away: None, link: Link, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    status, answer = door.post({"external_id": "a", "attributes": {"email": "jo@example.com"}})

    assert (status, answer["referrals"][0]["is_new"]) == (202, True)
    assert Delivery.objects.pending().count() == 1
    assert [record.name for record in caplog.records] == ["config.queue.job_queue"]


@pytest.mark.usefixtures("patient")
def test_a_worker_delivers_what_is_due(crm: CRM, campaign: Campaign, link: Link) -> None:
    create_referrals(campaign, "jo@example.com", "al@example.com")
    job_queue.wake_workers()
    job_queue.wake_workers()

    run_jobs()

    assert log() == [(1, "delivered", 200), (1, "delivered", 200)]
    assert (crm.people(), job_queue.waiting_jobs(), failed_jobs()) == (2, 0, 0)


@pytest.mark.usefixtures("patient")
def test_a_job_that_leaves_something_rings_again(
    crm: CRM, campaign: Campaign, link: Link, settings: Any, redis: Any
) -> None:
    settings.DELIVERY_SLICE_SECONDS = 0
    create_referrals(campaign, "jo@example.com")
    redis.flushdb()

    deliver_due()

    assert job_queue.waiting_jobs() == 1
    assert crm.received() == []
    settings.DELIVERY_SLICE_SECONDS = 60
    deliver_due()
    assert job_queue.waiting_jobs() == 1
    assert crm.people() == 1


@pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite has no server to lose.")
@pytest.mark.django_db(transaction=True)
def test_a_worker_outlives_a_database_that_was_restarted(
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
    job_queue.wake_workers()
    job_queue.wake_workers()

    run_jobs()

    assert crm.people() == 1
    assert Delivery.objects.get().status == "delivered"


def test_a_worker_that_is_told_to_stop_claims_no_more() -> None:
    worker = get_worker(
        job_queue.QUEUE, worker_class=job_queue.DeliveryWorker, serializer=JSONSerializer
    )

    worker.handle_warm_shutdown_request()

    assert shutdown.requested()
