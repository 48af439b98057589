"""The job of the Test button, and the seam where a queue is put in; must not know any queue.

Connections know how to test themselves. Which process does it is decided by whoever owns the queue
and calls `use_queue`; without one, tests are sent by the process that is asked for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.contrib.auth.models import User

from connections.models import Connection
from connections.operations.connection_tests import run_test


class JobState(StrEnum):
    """Where a queued test stands."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedTest:
    """A test that was given to a queue: of which connection, and what came of it."""

    connection_id: int
    state: JobState
    waited_seconds: float = 0.0
    test_id: int | None = None
    has_workers: bool = True


class QueueUnavailable(Exception):  # noqa: N818 - it says what is wrong with the queue.
    """The queue does not answer; the message says so to a person."""


class JobQueue(Protocol):
    """What a queue must be able to do with tests; every method may raise QueueUnavailable."""

    def enqueue(self, connection_id: int, user_id: int | None) -> str:
        """Put a test in, and return the id under which it can be found.

        Inside a transaction it is put in after the commit, as a worker reads what is committed. If
        the queue is away then, the test is found nowhere.
        """

    def find(self, job_id: str) -> QueuedTest | None:
        """The test of this id, or None where the queue knows it no more."""

    def withdraw(self, job_id: str) -> bool:
        """Take a test out again; False where a worker has begun with it already."""


_queues: list[JobQueue] = []


def use_queue(queue: JobQueue) -> None:
    """From now on, tests go through this queue."""
    _queues[:] = [queue]


def job_queue() -> JobQueue | None:
    """The queue that tests go through, or None where there is none."""
    return _queues[-1] if _queues else None


def run_queued_test(connection_id: int, user_id: int | None) -> int:
    """The job itself: test the connection, and return the id of what was recorded."""
    connection = Connection.objects.with_everything().get(pk=connection_id)
    by = None if user_id is None else User.objects.filter(pk=user_id).first()
    return int(run_test(connection, by=by).pk)
