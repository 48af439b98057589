"""Tests of the job queue."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from config.queue import job_queue
from config.queue.job_queue import (
    JobState,
    QueueUnavailableError,
    enqueue,
    enqueue_or_run,
    enqueue_unless_enough_wait,
    fetch,
    remove,
    waiting_count,
)
from config.queue.redis import redis_connection
from connections.models import Account
from tests.worker import run_jobs

ADD = "operator.add"
DIVIDE = "operator.truediv"

enqueue_stored = partial(
    enqueue, ADD, 1, 2, timeout_seconds=5, job_id="a-job", result_ttl_seconds=60
)

ENQUEUE: dict[str, Callable[..., None]] = {
    "always": enqueue,
    "unless enough wait": enqueue_unless_enough_wait,
    "or run": enqueue_or_run,
}


def enqueue_add(variant: str) -> None:
    ENQUEUE[variant](ADD, 1, 2, timeout_seconds=5)


def enqueued() -> list[tuple[str, list[Any]]]:
    return [(job.func_name, job.args) for job in job_queue._queue().jobs]


def test_a_waiting_job_is_found_by_its_id() -> None:
    enqueue_stored()

    job = fetch("a-job")

    assert job is not None
    assert (job.function, job.args) == (ADD, (1, 2))
    assert (job.state, job.return_value) == (JobState.WAITING, None)
    assert job.waited_seconds >= 0


def test_a_waiting_job_reports_how_long_it_has_waited() -> None:
    enqueue_stored()
    stored = Job.fetch("a-job", redis_connection(), JSONSerializer)
    stored.enqueued_at = datetime.now(UTC) - timedelta(hours=1)
    stored.save()

    job = fetch("a-job")

    assert job is not None
    assert 3600 <= job.waited_seconds < 7200


def test_a_finished_job_has_its_return_value() -> None:
    enqueue_stored()
    run_jobs()

    job = fetch("a-job")

    assert job is not None
    assert (job.state, job.return_value) == (JobState.FINISHED, 3)


def test_a_job_that_raised_has_failed() -> None:
    enqueue(DIVIDE, 1, 0, timeout_seconds=5, job_id="a-job")
    run_jobs()

    job = fetch("a-job")

    assert job is not None
    assert (job.state, job.return_value) == (JobState.FAILED, None)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (JobStatus.QUEUED, JobState.WAITING),
        (JobStatus.DEFERRED, JobState.WAITING),
        (JobStatus.STARTED, JobState.RUNNING),
        (JobStatus.STOPPED, JobState.FAILED),
        (JobStatus.CANCELED, JobState.FAILED),
    ],
)
def test_the_status_in_rq_is_mapped_to_a_job_state(status: JobStatus, state: JobState) -> None:
    enqueue_stored()
    Job.fetch("a-job", redis_connection(), JSONSerializer).set_status(status)

    job = fetch("a-job")

    assert job is not None
    assert job.state is state


def test_an_unknown_job_is_not_found() -> None:
    assert fetch("a-job") is None


def test_a_job_without_a_result_ttl_is_deleted_once_it_ran() -> None:
    enqueue(ADD, 1, 2, timeout_seconds=5, job_id="a-job")
    run_jobs()

    assert fetch("a-job") is None


def test_a_removed_job_does_not_run(tmp_path: Path) -> None:
    enqueue("os.mkdir", str(tmp_path / "made"), timeout_seconds=5, job_id="a-job")

    assert remove("a-job")
    assert not remove("a-job")
    run_jobs()

    assert not (tmp_path / "made").exists()


def test_a_job_at_the_front_is_queued_before_the_others() -> None:
    enqueue(ADD, 1, 2, timeout_seconds=5)
    enqueue(ADD, 3, 4, timeout_seconds=5, at_front=True)

    assert enqueued() == [(ADD, [3, 4]), (ADD, [1, 2])]


@pytest.mark.parametrize("variant", ENQUEUE)
def test_a_job_is_stored_as_plain_json(variant: str) -> None:
    enqueue_add(variant)

    [job] = job_queue._queue().jobs
    assert (job.func_name, job.args, job.kwargs) == (ADD, [1, 2], {})
    assert (job.timeout, job.result_ttl, job.failure_ttl) == (5, 0, 24 * 3600)
    assert job.serializer is JSONSerializer


@pytest.mark.parametrize("max_jobs", [1, 4])
def test_no_job_is_enqueued_once_enough_wait(settings: Any, max_jobs: int) -> None:
    settings.MAX_QUEUED_JOBS = max_jobs
    for _ in range(20):
        enqueue_add("unless enough wait")
    assert waiting_count() == max_jobs


@pytest.mark.parametrize("variant", ENQUEUE)
@pytest.mark.django_db(transaction=True)
def test_a_job_is_enqueued_once_the_transaction_is_committed(variant: str) -> None:
    with transaction.atomic():
        with transaction.atomic():
            enqueue_add(variant)
        assert waiting_count() == 0
    assert enqueued() == [(ADD, [1, 2])]


@pytest.mark.parametrize("variant", ENQUEUE)
@pytest.mark.django_db(transaction=True)
def test_no_job_is_enqueued_after_a_rollback(variant: str) -> None:
    with transaction.atomic():
        enqueue_add(variant)
        transaction.set_rollback(True)

    assert waiting_count() == 0


@pytest.mark.parametrize("variant", ENQUEUE)
def test_a_job_is_enqueued_without_a_database(variant: str) -> None:
    enqueue_add(variant)

    assert waiting_count() == 1


@pytest.mark.parametrize(
    "call", [enqueue_stored, waiting_count, lambda: fetch("a"), lambda: remove("a")]
)
def test_the_queue_is_unavailable_without_redis(
    redis_down: None, call: Callable[[], object]
) -> None:
    with pytest.raises(QueueUnavailableError, match=r"^The queue does not answer\.$"):
        call()


@pytest.mark.django_db(transaction=True)
def test_rows_saved_with_a_job_stay_saved_without_redis(
    redis_down: None, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction.atomic():
        account.name = "Acme and Sons"
        account.save()
        enqueue_stored()

    assert Account.objects.get().name == "Acme and Sons"
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message.startswith("Error calling enqueue.<locals>.enqueue_now in on_commit()")


def test_a_repeated_job_is_logged_as_a_warning_without_redis(
    redis_down: None, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue_add("unless enough wait")

    [record] = caplog.records
    assert (record.name, record.levelno) == ("config.queue.job_queue", logging.WARNING)
    assert record.message.startswith("operator.add is not enqueued: Error ")


@pytest.mark.django_db(transaction=True)
def test_a_job_runs_in_this_process_on_commit_without_redis(
    redis_down: None, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    with transaction.atomic():
        enqueue_or_run("os.mkdir", str(folder), timeout_seconds=5)
        assert not folder.exists()
    assert folder.is_dir()


def test_a_job_does_not_run_in_this_process_with_redis(tmp_path: Path) -> None:
    enqueue_or_run("os.mkdir", str(tmp_path / "made"), timeout_seconds=5)
    assert not (tmp_path / "made").exists()
    run_jobs()
    assert (tmp_path / "made").is_dir()


def test_a_job_that_fails_in_this_process_is_logged(
    redis_down: None, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue_or_run(DIVIDE, 1, 0, timeout_seconds=5)

    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message == ("Redis does not answer, and operator.truediv failed in this process")
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
