"""The Test button: through the queue, without a worker, without a queue, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import connection as database
from django.test import Client

from config.queue import job_queue as rq_queue
from connections import jobs
from connections.jobs import JobState, QueuedTest, QueueUnavailable
from connections.models import Account, Connection, ConnectionTest
from connections.operations import connection_tests
from connections.pages import connection_test
from connections.simulator import CRM
from connections.transport import shared
from referrals.connection_test_queue import TestJobs
from tests.connections.pages.helpers import change_form, change_url, page_url, read_form, work_off
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("uncollected")


@pytest.fixture
def editor(account: Account) -> User:
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def browser(editor: User) -> Client:
    return login_client(editor)


@pytest.fixture(autouse=True)
def own_queue() -> Iterator[None]:
    """Every test ends with the queue that the product has."""
    yield
    jobs.use_queue(TestJobs())


class Queue:
    """A queue that knows one test, in whatever state a test of the page needs."""

    def __init__(self, connection: Connection, **known: Any) -> None:
        self._connection = connection
        self._known = known
        self.withdrawn: list[str] = []

    def enqueue(self, *_: int | None) -> str:
        return "a-job"

    def find(self, _: str) -> QueuedTest | None:
        return QueuedTest(connection_id=self._connection.pk, **self._known)

    def withdraw(self, job_id: str) -> bool:
        self.withdrawn.append(job_id)
        return self._known["state"] is JobState.WAITING


def press_test(browser: Client, connection: Connection) -> str:
    return str(browser.post(page_url("test", connection.pk)).headers["Location"])


def say(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_worker_sends_the_test_and_the_page_goes_to_its_result(
    browser: Client, connection: Connection, editor: User, crm: CRM
) -> None:
    waiting = press_test(browser, connection)
    assert "Waiting for a worker" in browser.get(waiting).content.decode()
    assert crm.received() == []
    work_off()
    result = browser.get(waiting).headers["Location"]
    test = ConnectionTest.objects.get()
    assert result == page_url("result", connection.pk, test.pk)
    assert (test.outcome, test.environment, test.requested_by) == ("delivered", "testing", editor)
    assert len(crm.received()) == 1


def test_the_script_is_told_the_same_as_json(browser: Client, connection: Connection) -> None:
    waiting = press_test(browser, connection)
    accept = {"Accept": "application/json"}
    assert browser.get(waiting, headers=accept).json() == {"state": "waiting"}
    work_off()
    test = ConnectionTest.objects.get()
    url = page_url("result", connection.pk, test.pk)
    assert browser.get(waiting, headers=accept).json() == {"url": url}


def test_the_test_goes_before_deliveries(browser: Client, connection: Connection) -> None:
    rq_queue.wake_workers()
    press_test(browser, connection)
    names = [job.func_name for job in rq_queue._queue().get_jobs()]
    assert names == ["referrals.jobs.test_connection", "referrals.jobs.deliver_due"]


def test_without_a_worker_the_page_offers_the_web_process(
    browser: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch, crm: CRM
) -> None:
    monkeypatch.setattr(connection_test, "MAX_WAIT_SECONDS", 0.0)
    waiting = press_test(browser, connection)
    html = browser.get(waiting).content.decode()
    assert "No worker answers." in html
    assert "Send from the web process instead" in html
    response = browser.post(f"{waiting}now/")
    test = ConnectionTest.objects.get()
    assert response.headers["Location"] == page_url("result", connection.pk, test.pk)
    work_off()
    assert len(crm.received()) == 1


def test_a_test_that_a_worker_has_begun_is_not_sent_once_more(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    jobs.use_queue(Queue(connection, state=JobState.RUNNING))
    response = browser.post(page_url("send_now", connection.pk, "a-job"))
    assert response.headers["Location"] == page_url("wait", connection.pk, "a-job")
    assert say(response) == ["A worker has begun with the test meanwhile."]
    assert crm.received() == []


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"state": JobState.RUNNING}, "waiting for the CRM's answer"),
        ({"state": JobState.WAITING, "waited_seconds": 9.0}, "workers are busy"),
        ({"state": JobState.WAITING, "waited_seconds": 9.0, "has_workers": False}, "No worker"),
        ({"state": JobState.FAILED}, "The worker failed at this test."),
    ],
)
def test_the_page_says_what_it_waits_for(
    known: dict[str, Any], sentence: str, browser: Client, connection: Connection
) -> None:
    jobs.use_queue(Queue(connection, **known))
    page = browser.get(page_url("wait", connection.pk, "a-job"))
    assert sentence in page.content.decode().replace("&#x27;", "'")


def test_a_failed_job_can_be_sent_from_here(browser: Client, connection: Connection) -> None:
    jobs.use_queue(Queue(connection, state=JobState.FAILED))
    browser.post(page_url("send_now", connection.pk, "a-job"))
    assert ConnectionTest.objects.get().outcome == "delivered"


class BrokenQueue(Queue):
    """A queue whose server is away."""

    def enqueue(self, *_: int | None) -> str:
        raise QueueUnavailable("The queue does not answer.")


def test_without_redis_the_page_says_so_and_offers_the_web_process(
    browser: Client, connection: Connection
) -> None:
    jobs.use_queue(BrokenQueue(connection))
    waiting = press_test(browser, connection)
    assert "The queue does not answer" in browser.get(waiting).content.decode()
    browser.post(f"{waiting}now/")
    assert ConnectionTest.objects.get().is_good


def test_a_job_that_the_queue_has_forgotten_is_no_error(
    browser: Client, connection: Connection
) -> None:
    page = browser.get(page_url("wait", connection.pk, "0000-gone"))
    assert "knows nothing of this test" in page.content.decode()


def test_a_job_of_another_connection_is_not_found(
    browser: Client, connection: Connection, account: Account
) -> None:
    other = Connection.objects.create(account=account, name="Other")
    waiting = press_test(browser, connection)
    job_id = waiting.rstrip("/").rpartition("/")[2]
    assert browser.get(page_url("wait", other.pk, job_id)).status_code == 404


def test_other_jobs_of_the_queue_are_no_tests(browser: Client, connection: Connection) -> None:
    rq_queue.wake_workers()
    (job,) = rq_queue._queue().get_jobs()
    page = browser.get(page_url("wait", connection.pk, job.id))
    assert "knows nothing of this test" in page.content.decode()


def test_a_connection_without_the_environment_says_what_to_do(
    browser: Client, connection: Connection
) -> None:
    connection.endpoints.filter(environment="testing").delete()
    response = browser.post(page_url("test", connection.pk))
    assert response.headers["Location"] == change_url(connection)
    (sentence,) = say(response)
    assert sentence == (
        "Mailing list can't be tested yet. The connection has no endpoint for testing: add one, or "
        "choose another environment for tests under Settings."
    )


def test_save_and_test_saves_and_tests(browser: Client, connection: Connection) -> None:
    form = change_form(browser, connection) | {"reason_path": ["title"], "_test": ["1"]}
    response = browser.post(change_url(connection), form)
    assert "/test/" in response.headers["Location"]
    work_off()
    test = ConnectionTest.objects.get()
    assert Connection.objects.get().reason_path == "title"
    assert Connection.objects.tested().get() == test.connection


class WatchingQueue(Queue):
    """A queue that sees whether what it is given is committed."""

    def enqueue(self, *_: int | None) -> str:
        assert not database.in_atomic_block
        return super().enqueue()


def new_form(browser: Client, crm: CRM) -> dict[str, list[str]]:
    form = read_form(browser.get(page_url("add"), {"empty": "1"}).content.decode())
    url = f"{crm.url}/3.0/lists/new/members"
    return form | {"name": ["New"], "endpoints-2-url": [url], "_test": ["1"]}


@pytest.mark.django_db(transaction=True)
def test_a_test_is_queued_once_what_was_saved_is_committed(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    jobs.use_queue(WatchingQueue(connection))
    form = change_form(browser, connection) | {"_test": ["1"]}

    changed = browser.post(change_url(connection), form)
    added = browser.post(page_url("add"), new_form(browser, crm))

    new = Connection.objects.get(name="New")
    assert changed.headers["Location"] == page_url("wait", connection.pk, "a-job")
    assert added.headers["Location"] == page_url("wait", new.pk, "a-job")


@pytest.mark.django_db(transaction=True)
def test_without_a_queue_nothing_is_sent_while_the_transaction_is_open(
    browser: Client, connection: Connection, crm: CRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shared_client() -> Any:
        assert not database.in_atomic_block
        return shared.shared_client()

    monkeypatch.setattr(connection_test, "job_queue", lambda: None)
    monkeypatch.setattr(connection_tests, "shared_client", shared_client)
    form = change_form(browser, connection) | {"_test": ["1"]}

    browser.post(change_url(connection), form)
    browser.post(page_url("add"), new_form(browser, crm))

    assert len(crm.received()) == 2
    assert Connection.objects.tested().get() == connection


def test_a_test_that_the_queue_never_got_can_be_sent_from_here(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    never = page_url("wait", connection.pk, str(uuid4()))
    assert "knows nothing of this test" in browser.get(never).content.decode()
    assert browser.get(never, headers={"Accept": "application/json"}).json() == {"state": "gone"}

    browser.post(f"{never}now/")

    assert ConnectionTest.objects.get().is_good
    assert len(crm.received()) == 1


def test_every_test_is_in_the_log(browser: Client, connection: Connection, editor: User) -> None:
    press_test(browser, connection)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.get_change_message()) == (editor, "Tested (testing).")
