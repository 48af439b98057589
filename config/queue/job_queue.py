"""Enqueue jobs by the dotted paths of their functions, and find them again.

Redis wakes workers up; what is to be done stands in the database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string
from django_rq import get_queue  # noqa: TID251 - this room is where RQ is known.
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from config.queue.redis import QueueUnavailableError, redis_connection, redis_errors_translated

__all__ = [
    "QUEUE", "JobState", "QueueUnavailableError", "QueuedJob", "enqueue",
    "enqueue_or_run", "enqueue_unless_enough_wait", "fetch", "remove", "waiting_count",
]  # fmt: skip

logger = logging.getLogger(__name__)

QUEUE = "deliveries"

_FAILURE_TTL_SECONDS = 24 * 3600


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


_STATES = {
    JobStatus.STARTED: JobState.RUNNING,
    JobStatus.FINISHED: JobState.FINISHED,
    JobStatus.FAILED: JobState.FAILED,
    JobStatus.STOPPED: JobState.FAILED,
    JobStatus.CANCELED: JobState.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """A job as it was when it was fetched; arguments and return value are JSON."""

    function: str
    args: tuple[Any, ...]
    state: JobState
    waited_seconds: float
    return_value: Any = None


def enqueue(
    function: str,
    *args: Any,  # noqa: ANN401 - whatever JSON can say.
    timeout_seconds: int,
    job_id: str | None = None,
    at_front: bool = False,
    result_ttl_seconds: int = 0,
) -> None:
    """Enqueue a call of the function once the open transaction is committed, or at once.

    Raise QueueUnavailableError where it is enqueued at once; after a commit, the error is logged.
    """

    def enqueue_now() -> None:
        _put(
            function,
            args,
            timeout=timeout_seconds,
            job_id=job_id,
            at_front=at_front,
            result_ttl=result_ttl_seconds,
        )

    _run_on_commit(enqueue_now)


def enqueue_unless_enough_wait(
    function: str,
    *args: Any,  # noqa: ANN401
    timeout_seconds: int,
) -> None:
    """Enqueue like `enqueue`, but only while fewer than MAX_QUEUED_JOBS jobs wait.

    Log a warning where Redis does not answer: such a job is one that somebody enqueues again.
    """

    def enqueue_if_few() -> None:
        try:
            if waiting_count() < settings.MAX_QUEUED_JOBS:
                _put(function, args, timeout=timeout_seconds, result_ttl=0)
        except QueueUnavailableError as error:
            logger.warning("%s is not enqueued: %s", function, error.__cause__)

    _run_on_commit(enqueue_if_few)


def enqueue_or_run(
    function: str,
    *args: Any,  # noqa: ANN401
    timeout_seconds: int,
) -> None:
    """Enqueue like `enqueue`; run the function in this process where Redis does not answer."""

    def enqueue_or_run_now() -> None:
        try:
            _put(function, args, timeout=timeout_seconds, result_ttl=0)
        except QueueUnavailableError:
            _run_here(function, args)

    _run_on_commit(enqueue_or_run_now)


def fetch(job_id: str) -> QueuedJob | None:
    """Return the job, or None where the queue doesn't know it; raise QueueUnavailableError."""
    with redis_errors_translated():
        try:
            job = Job.fetch(job_id, connection=redis_connection(), serializer=JSONSerializer)
        except NoSuchJobError:
            return None
        now = datetime.now(UTC)
        state = _STATES.get(job.get_status(refresh=False), JobState.WAITING)
        return QueuedJob(
            function=job.func_name,
            args=tuple(job.args),
            state=state,
            waited_seconds=max(0.0, (now - (job.enqueued_at or now)).total_seconds()),
            return_value=job.return_value() if state is JobState.FINISHED else None,
        )


def remove(job_id: str) -> bool:
    """Take a job out of the queue; return False where a worker has it already.

    Raise QueueUnavailableError.
    """
    with redis_errors_translated():
        # One command of Redis decides: whoever takes the id out of the list runs the job.
        return bool(_queue().remove(job_id))


def waiting_count() -> int:
    """Return how many jobs wait; raise QueueUnavailableError."""
    with redis_errors_translated():
        return int(_queue().count)


def _put(function: str, args: tuple[Any, ...], **options: Any) -> None:  # noqa: ANN401 - RQ's own.
    with redis_errors_translated():
        _queue().enqueue_call(function, args, failure_ttl=_FAILURE_TTL_SECONDS, **options)


def _run_here(function: str, args: tuple[Any, ...]) -> None:
    try:
        import_string(function)(*args)
    except Exception:
        # It was to be done elsewhere, so it breaks nothing of what is done here.
        logger.exception("Redis does not answer, and %s failed in this process", function)


def _run_on_commit(enqueue_now: Callable[[], None]) -> None:
    """Call it once the open transaction is committed, as workers read only what is; or at once."""
    if connection.in_atomic_block:
        # Robust: what is saved by then is saved, so an error is logged and breaks nothing.
        transaction.on_commit(enqueue_now, robust=True)
    else:
        # Without asking Django, which would open a database connection for it.
        enqueue_now()


@cache
def _queue() -> Any:  # noqa: ANN401 - RQ brings no types.
    return get_queue(QUEUE, connection=redis_connection())
