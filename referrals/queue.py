"""The doorbell: the only importer of RQ. Redis wakes workers up and never knows what is to do."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from django.conf import settings
from django_rq import get_queue, get_worker  # noqa: TID251 - the only importer.
from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from referrals import stopping

logger = logging.getLogger(__name__)

QUEUE = "deliveries"

_ASKING_SECONDS = 1
"""How long an intake request may wait for Redis: the referral is accepted either way."""

_LONGEST_BACKOFF_SECONDS = 2.0


def ring() -> None:
    """Enqueue a job that delivers what is due, unless enough jobs wait already.

    A Redis that does not answer is a warning, no error: the tick rings again.
    """
    try:
        queue = _bell()
        if queue.count < settings.DOORBELL_DEPTH:
            queue.enqueue(
                "referrals.jobs.deliver_due",
                job_timeout=settings.DELIVERY_JOB_TIMEOUT,
                result_ttl=0,
                failure_ttl=24 * 3600,
            )
    except RedisError as error:
        logger.warning("The doorbell is out of order, deliveries wait for the tick: %s", error)


def waiting_jobs() -> int:
    """How many jobs wait; raises RedisError."""
    return int(_bell().count)


def work() -> None:
    """Run jobs until told to stop, also through an outage of Redis."""
    while not stopping.requested():
        try:
            worker = get_worker(QUEUE, worker_class=DeliveryWorker, serializer=JSONSerializer)
            worker.work(logging_level="WARNING")
        except RedisError as error:
            logger.warning("Redis does not answer (%s); trying again.", error)
        stopping.wait(_LONGEST_BACKOFF_SECONDS if not stopping.requested() else 0)


class DeliveryWorker(SimpleWorker):  # type: ignore[misc]
    """A worker that does not fork, so that connections to CRMs stay open from job to job."""

    max_connection_wait_time = _LONGEST_BACKOFF_SECONDS

    def handle_warm_shutdown_request(self) -> None:
        """Tell the pump to claim no more, so that the job in hand ends soon."""
        stopping.request()


@cache
def _bell() -> Any:  # noqa: ANN401 - RQ brings no types.
    connection = Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_ASKING_SECONDS,
        socket_connect_timeout=_ASKING_SECONDS,
    )
    return get_queue(QUEUE, connection=connection)
