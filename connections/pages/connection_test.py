"""Testing a connection: start, wait for a worker, or send from the web process instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.html import format_html

from connections.core.errors import DescriptionError
from connections.jobs import JobQueue, JobState, QueuedTest, QueueUnavailable, job_queue
from connections.models import Connection
from connections.operations.connection_tests import run_test, spec_to_test
from connections.pages.base import connection_to_change, render

if TYPE_CHECKING:
    from connections.pages.base import Admin

MAX_WAIT_SECONDS = 5.0
"""How long a test may wait before the page says that no worker takes it."""

NO_JOB = "none"
"""Stands for a job that the queue did not take."""

_LIST_OF_TESTS = "admin:connections_connectiontest_changelist"


class SavedToTest(HttpResponse):
    """Stands for the test of a connection that is saved, but perhaps not committed.

    Until it is, a worker would test what was saved before; and nothing is sent while a transaction
    is open.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection


def start(model_admin: Admin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Put a test in the queue, and go where its result is awaited."""
    connection = connection_to_change(model_admin, request, object_id)
    if not _is_ready(request, connection):
        return HttpResponseRedirect(connection.get_absolute_url())
    queue = job_queue()
    if queue is None:
        return _send(model_admin, request, connection)
    try:
        job_id = _enqueue(queue, model_admin, request, connection)
    except QueueUnavailable:
        job_id = NO_JOB
    return HttpResponseRedirect(_wait_url(connection, job_id))


def start_tests(
    model_admin: Admin, request: HttpRequest, connections: Iterable[Connection]
) -> None:
    """Put a test of each in the queue; what comes of them stands in the list of tests."""
    queue, count = job_queue(), 0
    for connection in connections:
        if not _is_ready(request, connection):
            continue
        if queue is None:
            _send(model_admin, request, connection)
        else:
            try:
                _enqueue(queue, model_admin, request, connection)
            except QueueUnavailable as error:
                messages.error(request, f"{connection} is not tested. {error}")
                continue
        count += 1
    if count:
        link = format_html('<a href="{}">Their results</a>', reverse(_LIST_OF_TESTS))
        messages.success(request, format_html("Tests under way: {}. {}", count, link))


def wait(model_admin: Admin, request: HttpRequest, object_id: str, job_id: str) -> HttpResponse:
    """The page that waits for a worker; as JSON for the script that asks again and again."""
    connection = connection_to_change(model_admin, request, object_id)
    test = _find(connection, job_id)
    state = _state_in_words(test)
    is_script = request.headers.get("Accept") == "application/json"
    if test and test.test_id:
        url = result_url(connection, test.test_id)
        return JsonResponse({"url": url}) if is_script else HttpResponseRedirect(url)
    if is_script:
        return JsonResponse({"state": state})
    context = {
        "title": f"Testing {connection}",
        "connection": connection,
        "job_id": job_id,
        "test": test,
        "state": state,
    }
    return render(model_admin, request, "connections/test/wait.html", context)


def send_now(model_admin: Admin, request: HttpRequest, object_id: str, job_id: str) -> HttpResponse:
    """Send from this process, once the queue has given the test back: it is never sent twice."""
    connection = connection_to_change(model_admin, request, object_id)
    test = _find(connection, job_id)
    if test and test.state is not JobState.FAILED and not _withdraw(job_id):
        messages.info(request, "A worker has begun with the test meanwhile.")
        return HttpResponseRedirect(_wait_url(connection, job_id))
    return _send(model_admin, request, connection)


def result_url(connection: Connection, test_id: int) -> str:
    """The address of a test's result."""
    return reverse("admin:connections_connection_result", args=[connection.pk, test_id])


def _is_ready(request: HttpRequest, connection: Connection) -> bool:
    """Whether there is anything to send to; tells the person where there is not."""
    try:
        spec_to_test(connection)
    except DescriptionError as error:
        messages.error(request, f"{connection} can't be tested yet. {error.message}")
        return False
    return True


def _enqueue(
    queue: JobQueue, model_admin: Admin, request: HttpRequest, connection: Connection
) -> str:
    """The id of the job; raises QueueUnavailable."""
    job_id = queue.enqueue(connection.pk, request.user.pk)
    model_admin.log_change(request, connection, f"Tested ({connection.test_environment}).")
    return job_id


def _send(model_admin: Admin, request: HttpRequest, connection: Connection) -> HttpResponse:
    test = run_test(connection, by=request.user)  # type: ignore[arg-type]
    model_admin.log_change(request, connection, f"Tested ({test.environment}): {test.outcome}.")
    return HttpResponseRedirect(result_url(connection, test.pk))


def _find(connection: Connection, job_id: str) -> QueuedTest | None:
    """The queued test, if the queue answers and it is one of this connection."""
    queue = job_queue()
    if queue is None or job_id == NO_JOB:
        return None
    try:
        test = queue.find(job_id)
    except QueueUnavailable:
        return None
    if test and test.connection_id != connection.pk:
        raise Http404
    return test


def _withdraw(job_id: str) -> bool:
    queue = job_queue()
    try:
        return queue is None or queue.withdraw(job_id)
    except QueueUnavailable:
        return False


def _state_in_words(test: QueuedTest | None) -> str:
    """One of: gone, failed, waiting, running, silent (no worker), busy (workers, but none free)."""
    if test is None:
        return "gone"
    if test.state is JobState.WAITING and test.waited_seconds >= MAX_WAIT_SECONDS:
        return "busy" if test.has_workers else "silent"
    return str(test.state)


def _wait_url(connection: Connection, job_id: str) -> str:
    return reverse("admin:connections_connection_wait", args=[connection.pk, job_id])
