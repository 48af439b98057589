"""Pages that test a connection: start, wait for a worker, or send from the web process."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.html import format_html

from config.queue.job_queue import JobState, QueueUnavailableError
from connections.core.errors import DescriptionError
from connections.models import Connection
from connections.operations.connection_tests import (
    QueuedTest,
    find_test,
    queue_test,
    run_test,
    withdraw_test,
)
from connections.operations.history import Actor
from connections.pages.base import Admin, connection_to_change, render

MAX_WAIT_SECONDS = 5.0
"""How long a test may be queued before the page says that no worker takes it."""

NO_JOB = "none"
"""The job id in the URL where the queue did not accept the job."""

_TEST_LIST = "admin:connections_connectiontest_changelist"


def start(model_admin: Admin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Enqueue a test and redirect to its waiting page; add a message where it can't be sent."""
    connection = connection_to_change(model_admin, request, object_id)
    try:
        job_id = queue_test(connection, by=Actor.of_request(request))
    except DescriptionError as error:
        return _redirect_with_error(request, connection, error)
    except QueueUnavailableError:
        job_id = NO_JOB
    return HttpResponseRedirect(_wait_url(connection, job_id))


def start_tests(request: HttpRequest, connections: Iterable[Connection]) -> None:
    """Enqueue a test of each, and add a message with the count and one for each failure."""
    count = sum(_enqueue_or_message(request, connection) for connection in connections)
    if count:
        link = format_html('<a href="{}">Their results</a>', reverse(_TEST_LIST))
        messages.success(request, format_html("Tests under way: {}. {}", count, link))


def wait(model_admin: Admin, request: HttpRequest, object_id: str, job_id: str) -> HttpResponse:
    """Render the page that waits for a worker, or its state as JSON for the page's script."""
    connection = connection_to_change(model_admin, request, object_id)
    test = _find_or_404(connection, job_id)
    state = _get_state(test)
    wants_json = request.headers.get("Accept") == "application/json"
    if test and test.test_id:
        url = result_url(connection, test.test_id)
        return JsonResponse({"url": url}) if wants_json else HttpResponseRedirect(url)
    if wants_json:
        return JsonResponse({"state": state})
    context = {
        "title": f"Testing {connection}",
        "connection": connection,
        "job_id": job_id,
        "state": state,
    }
    return render(model_admin, request, "connections/test/wait.html", context)


def send_now(model_admin: Admin, request: HttpRequest, object_id: str, job_id: str) -> HttpResponse:
    """Run the test in this process if it could be removed from the queue; never send it twice."""
    connection = connection_to_change(model_admin, request, object_id)
    queued = _find_or_404(connection, job_id)
    if queued and queued.state is not JobState.FAILED and not withdraw_test(job_id):
        messages.info(request, "A worker has begun with the test meanwhile.")
        return HttpResponseRedirect(_wait_url(connection, job_id))
    try:
        test = run_test(connection, by=Actor.of_request(request))
    except DescriptionError as error:
        return _redirect_with_error(request, connection, error)
    return HttpResponseRedirect(result_url(connection, test.pk))


def result_url(connection: Connection, test_id: int) -> str:
    """Return the URL of a test's result."""
    return reverse("admin:connections_connection_result", args=[connection.pk, test_id])


def _redirect_with_error(
    request: HttpRequest, connection: Connection, error: DescriptionError
) -> HttpResponse:
    """Add an error message, and redirect to the connection's page."""
    messages.error(request, _error_text(connection, error))
    return HttpResponseRedirect(connection.get_absolute_url())


def _error_text(connection: Connection, error: DescriptionError) -> str:
    return f"{connection} can't be tested yet. {error.message}"


def _enqueue_or_message(request: HttpRequest, connection: Connection) -> bool:
    """Enqueue a test; if that fails, add an error message and return False."""
    try:
        queue_test(connection, by=Actor.of_request(request))
    except DescriptionError as error:
        messages.error(request, _error_text(connection, error))
        return False
    except QueueUnavailableError as error:
        messages.error(request, f"{connection} is not tested. {error}")
        return False
    return True


def _find_or_404(connection: Connection, job_id: str) -> QueuedTest | None:
    """Return the queued test or None; raise Http404 if it belongs to another connection."""
    test = find_test(job_id)
    if test and test.connection_id != connection.pk:
        raise Http404
    return test


def _get_state(test: QueuedTest | None) -> str:
    """Return gone, failed, waiting, running, silent (no worker) or busy (workers, none free)."""
    if test is None:
        return "gone"
    if test.state is JobState.WAITING and test.waited_seconds >= MAX_WAIT_SECONDS:
        return "busy" if test.has_live_worker else "silent"
    return str(test.state)


def _wait_url(connection: Connection, job_id: str) -> str:
    return reverse("admin:connections_connection_wait", args=[connection.pk, job_id])
