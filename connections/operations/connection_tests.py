"""Test a connection: send its sample attributes and store the result, here or in a worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User

from config.queue import heartbeats, job_queue
from config.queue.job_queue import JobState, QueueUnavailableError
from connections.attempt import Attempt, PreparedConnection
from connections.core.errors import DescriptionError
from connections.core.response.outcomes import Outcome
from connections.core.samples import sample_attributes
from connections.core.spec import ConnectionSpec
from connections.mapping.to_spec import build_spec
from connections.models import Connection, ConnectionTest
from connections.models.exchanges import exchange_columns
from connections.operations.history import Actor, record_change
from connections.transport.shared import shared_client

_JOB = "connections.jobs.test_connection"

_JOB_RESULT_TTL_SECONDS = 3600
"""How long the queue keeps the id of the ConnectionTest that a job has stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedTest:
    """A test in the queue; `test_id` is the stored ConnectionTest, once the job has finished."""

    connection_id: int
    state: JobState
    waited_seconds: float
    test_id: int | None
    has_live_worker: bool


def queue_test(connection: Connection, *, by: Actor) -> str:
    """Enqueue a test before all deliveries, since a person waits for it; return the job's id.

    The history gets an entry. Raise DescriptionError if the connection has no endpoint for tests,
    and QueueUnavailableError. Inside a transaction the job is enqueued after the commit; if that
    fails, `find_test` does not find it.
    """
    build_test_spec(connection)
    job_id = str(uuid4())
    job_queue.enqueue(
        _JOB,
        connection.pk,
        by.user and by.user.pk,
        job_id=job_id,
        at_front=True,
        timeout_seconds=settings.DELIVERY_JOB_TIMEOUT,
        result_ttl_seconds=_JOB_RESULT_TTL_SECONDS,
    )
    record_change(connection, by=by, message=f"Tested ({connection.test_environment}).")
    return job_id


def find_test(job_id: str) -> QueuedTest | None:
    """Return the queued test, or None if the queue does not know it or is unavailable."""
    try:
        job = job_queue.fetch(job_id)
        if job is None or job.function != _JOB:
            return None
        return QueuedTest(
            connection_id=job.args[0],
            state=job.state,
            waited_seconds=job.waited_seconds,
            test_id=job.return_value,
            has_live_worker=heartbeats.has_live_worker(),
        )
    except QueueUnavailableError:
        return None


def withdraw_test(job_id: str) -> bool:
    """Remove a test from the queue; return False if a worker may have started it."""
    try:
        return job_queue.remove(job_id)
    except QueueUnavailableError:
        return False


def run_test(
    connection: Connection,
    *,
    by: Actor,
    environment: str = "",
    attributes: dict[str, Any] | None = None,
) -> ConnectionTest:
    """Send a test from this process, store it and return it; the history gets an entry.

    Raise DescriptionError like `send_test`.
    """
    test = send_test(connection, by.user, environment=environment, attributes=attributes)
    record_change(connection, by=by, message=f"Tested ({test.environment}): {test.outcome}.")
    return test


def send_test(
    connection: Connection,
    requested_by: User | None = None,
    *,
    environment: str = "",
    attributes: dict[str, Any] | None = None,
) -> ConnectionTest:
    """Send the sample attributes to one of the CRM's systems; store and return the result.

    Without `environment` the connection's own setting decides; `attributes` replace samples. Raise
    DescriptionError if the connection has no endpoint for the environment.
    """
    environment = environment or connection.test_environment
    spec = build_test_spec(connection, environment)
    values = {**sample_attributes(spec, connection.account.catalogue()), **(attributes or {})}
    started_at = datetime.now(UTC)
    attempt = PreparedConnection(spec, environment).attempt(
        shared_client(), values, f"test-{connection.pk}-{started_at.timestamp():.0f}"
    )
    return ConnectionTest.objects.create(
        connection=connection,
        # Read before the rows that belong to it, so a change in between makes the test an old one.
        connection_changed_at=connection.changed_at,
        environment=environment,
        attributes=values,
        expected_outcome=connection.expected_test_outcome,
        is_good=_is_as_expected(attempt.meaning.outcome, connection.expected_test_outcome),
        requested_by=requested_by,
        started_at=started_at,
        **_columns(attempt),
    )


def build_test_spec(connection: Connection, environment: str = "") -> ConnectionSpec:
    """Return the spec that a test sends with; raise DescriptionError if it has no endpoint."""
    environment = environment or connection.test_environment
    spec = build_spec(connection, environment)
    if environment not in spec.endpoints:
        raise DescriptionError(
            f"endpoints.{environment}",
            f"The connection has no endpoint for {environment}: add one, or choose another "
            "environment for tests under Settings.",
        )
    return spec


def _is_as_expected(outcome: Outcome, expected: str) -> bool:
    return outcome == expected if expected else outcome.is_success


def _columns(attempt: Attempt) -> dict[str, Any]:
    return exchange_columns(attempt.exchange, attempt.meaning, attempt.rule)
