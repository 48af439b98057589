"""The queue that connection tests go through; tells RQ's words in those of `connections.jobs`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from redis.exceptions import RedisError

from config.queue import heartbeats
from config.queue.job_queue import enqueue_test, find_test, remove_test
from connections.jobs import JobState, QueuedTest, QueueUnavailable

_STATES = {
    "finished": JobState.FINISHED,
    "failed": JobState.FAILED,
    "stopped": JobState.FAILED,
    "canceled": JobState.FAILED,
    "started": JobState.RUNNING,
}


class TestJobs:
    """Connection tests in the queue of deliveries, before all deliveries that wait there."""

    __test__ = False  # It is no test of pytest's.

    def enqueue(self, connection_id: int, user_id: int | None) -> str:
        """Put a test in once it can be read, and return the id under which it can be found."""
        with _told():
            return enqueue_test(connection_id, user_id)

    def find(self, job_id: str) -> QueuedTest | None:
        """The test of this id, or None where the queue knows it no more."""
        with _told():
            job = find_test(job_id)
            return _as_value(job) if job else None

    def withdraw(self, job_id: str) -> bool:
        """Take a test out again; False where a worker has begun with it already."""
        with _told():
            return remove_test(job_id)


def _as_value(job: Any) -> QueuedTest:  # noqa: ANN401 - RQ brings no types.
    now = datetime.now(UTC)
    state = _STATES.get(job.get_status().value, JobState.WAITING)
    test_id = job.return_value() if state is JobState.FINISHED else None
    enqueued_at = job.enqueued_at or now
    aware = enqueued_at if enqueued_at.tzinfo else enqueued_at.replace(tzinfo=UTC)
    return QueuedTest(
        connection_id=job.args[0],
        state=state,
        waited_seconds=max(0.0, (now - aware).total_seconds()),
        test_id=test_id,
        has_workers=heartbeats.is_alive(heartbeats.read_heartbeats(), heartbeats.WORKER, now),
    )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise QueueUnavailable("The queue does not answer.") from error
