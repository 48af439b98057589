"""Run the jobs of the queue until told to stop."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from django_rq import get_worker  # noqa: TID251 - this room is where RQ is known.
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from config import shutdown
from config.queue import heartbeats
from config.queue.job_queue import QUEUE

logger = logging.getLogger(__name__)

_MAX_BACKOFF_SECONDS = 2.0


def work() -> None:
    """Run jobs until told to stop, also through an outage of Redis."""
    while not shutdown.requested():
        # RQ's signal handler raises this wherever the process is, also between two workers.
        with suppress(StopRequested):
            _work_until_redis_fails()


def _work_until_redis_fails() -> None:
    try:
        worker = get_worker(QUEUE, worker_class=DeliveryWorker, serializer=JSONSerializer)
        worker.work(logging_level="WARNING")
    except RedisError as error:
        logger.warning("Redis does not answer (%s); trying again.", error)
    shutdown.wait(_MAX_BACKOFF_SECONDS)


class DeliveryWorker(SimpleWorker):  # type: ignore[misc]
    """A worker that does not fork, so that connections to CRMs stay open from job to job."""

    max_connection_wait_time = _MAX_BACKOFF_SECONDS

    def execute_job(self, job: Any, queue: Any) -> None:  # noqa: ANN401 - RQ brings no types.
        """Record the worker's heartbeat and run the job."""
        heartbeats.record_heartbeat(heartbeats.WORKER)
        super().execute_job(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        """Tell the pump to claim no more, so that the running job ends soon."""
        shutdown.request()

    def set_shutdown_requested_date(self) -> None:
        """Write nothing.

        RQ writes the date to Redis from the signal handler, which fails in the middle of anything
        when Redis is away.
        """
