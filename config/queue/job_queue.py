"""The doorbell: the only importer of RQ. Redis wakes workers up and never knows what is to do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django_rq import get_queue, get_worker  # noqa: TID251 - the only importer.
from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from config import shutdown

logger = logging.getLogger(__name__)

QUEUE = "deliveries"
_DELIVER = "referrals.jobs.deliver_due"
_NOTIFY = "referrals.jobs.tell"
_TEST = "referrals.jobs.test_connection"

_REDIS_TIMEOUT_SECONDS = 1
"""How long an intake request may wait for Redis: the referral is accepted either way."""

_MAX_BACKOFF_SECONDS = 2.0

_TEST_KEPT_SECONDS = 3600
"""How long the queue knows what became of a connection test; its result is kept elsewhere."""


def wake_workers() -> None:
    """Enqueue a job that delivers what is due, unless enough jobs wait already.

    A Redis that does not answer is a warning, no error: the tick rings again.
    """
    _once_committed(_ring)


def _ring() -> None:
    try:
        queue = _queue()
        if queue.count < settings.MAX_QUEUED_JOBS:
            queue.enqueue(
                _DELIVER,
                job_timeout=settings.DELIVERY_JOB_TIMEOUT,
                result_ttl=0,
                failure_ttl=24 * 3600,
            )
    except RedisError as error:
        logger.warning("The doorbell is out of order, deliveries wait for the tick: %s", error)


def notify(connection_id: int, event: str, reason: str) -> None:
    """Have people told what became of a connection; without Redis, this process tells them."""

    def tell() -> None:
        try:
            _queue().enqueue(_NOTIFY, connection_id, event, reason, job_timeout=60, result_ttl=0)
        except RedisError:
            _notify_here(connection_id, event, reason)

    _once_committed(tell)


def _notify_here(connection_id: int, event: str, reason: str) -> None:
    try:
        import_attribute(_NOTIFY)(connection_id, event, reason)
    except Exception:
        # The mail server may be away as well. Deliveries are worth more than a notice.
        logger.exception("Nobody was told that connection %s is %s", connection_id, event)


def enqueue_test(connection_id: int, user_id: int | None) -> str:
    """Enqueue a connection test before everything else, as a person waits; returns the job's id.

    Raises RedisError. Inside a transaction it can't, and an id that the queue never got is found as
    little as one that it has forgotten.
    """
    job_id = str(uuid4())

    def enqueue() -> None:
        _queue().enqueue(
            _TEST,
            connection_id,
            user_id,
            job_id=job_id,
            at_front=True,
            job_timeout=settings.DELIVERY_JOB_TIMEOUT,
            result_ttl=_TEST_KEPT_SECONDS,
            failure_ttl=_TEST_KEPT_SECONDS,
        )

    _once_committed(enqueue)
    return job_id


def _once_committed(enqueue: Callable[[], None]) -> None:
    """Call it when the open transaction is committed, as workers read only what is; or at once."""
    if connection.in_atomic_block:
        # Robust: what is saved by then is saved, so an error is logged and breaks nothing.
        transaction.on_commit(enqueue, robust=True)
    else:
        # Without asking Django, which would open a database connection for it.
        enqueue()


def find_test(job_id: str) -> Any:  # noqa: ANN401 - RQ brings no types.
    """RQ's job of this connection test, or None; raises RedisError."""
    try:
        job = Job.fetch(job_id, connection=redis_connection(), serializer=JSONSerializer)
    except NoSuchJobError:
        return None
    return job if job.func_name == _TEST else None


def remove_test(job_id: str) -> bool:
    """Take a test out of the queue; False where a worker has it already. Raises RedisError."""
    # One command of Redis decides: whoever takes the id out of the list sends the test.
    return bool(_queue().remove(job_id))


def waiting_jobs() -> int:
    """How many jobs wait; raises RedisError."""
    return int(_queue().count)


def work() -> None:
    """Run jobs until told to stop, also through an outage of Redis."""
    while not shutdown.requested():
        # A signal is answered by this exception wherever it comes, also between two workers.
        with suppress(StopRequested):
            _work_until_it_breaks()


def _work_until_it_breaks() -> None:
    try:
        worker = get_worker(QUEUE, worker_class=DeliveryWorker, serializer=JSONSerializer)
        worker.work(logging_level="WARNING")
    except RedisError as error:
        logger.warning("Redis does not answer (%s); trying again.", error)
    shutdown.wait(_MAX_BACKOFF_SECONDS)


class DeliveryWorker(SimpleWorker):  # type: ignore[misc]
    """A worker that does not fork, so that connections to CRMs stay open from job to job."""

    max_connection_wait_time = _MAX_BACKOFF_SECONDS

    def handle_warm_shutdown_request(self) -> None:
        """Tell the pump to claim no more, so that the job in hand ends soon."""
        shutdown.request()

    def set_shutdown_requested_date(self) -> None:
        """Redis need not know. A signal comes in the middle of anything, and if Redis were away, an
        error here would break that off."""


@cache
def redis_connection() -> Any:  # noqa: ANN401 - its types say that every answer may be awaitable.
    """A connection for short questions, which waits a second at most."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
    )


@cache
def _queue() -> Any:  # noqa: ANN401 - RQ brings no types.
    return get_queue(QUEUE, connection=redis_connection())
