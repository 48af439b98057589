"""Tests of the Test button and of Save and test."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.db import transaction
from django.test import Client

from config.queue import job_queue
from connections.models import Connection, ConnectionTest
from connections.models.history import Door, HistoryEntry
from connections.operations import connection_tests
from connections.simulator import CRM
from connections.transport import shared
from tests.connections.pages.helpers import (
    change_form,
    change_url,
    job_id_of,
    page_url,
    press_test,
    read_form,
    read_messages,
)
from tests.worker import run_jobs

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def test_a_worker_sends_the_test_and_the_page_redirects_to_its_result(
    browser: Client, connection: Connection, editor: User, crm: CRM
) -> None:
    wait_url = press_test(browser, connection)
    assert "Waiting for a worker" in browser.get(wait_url).content.decode()
    assert crm.received() == []
    run_jobs()
    result = browser.get(wait_url).headers["Location"]
    test = ConnectionTest.objects.get()
    assert result == page_url("result", connection.pk, test.pk)
    assert (test.outcome, test.environment, test.requested_by) == ("delivered", "testing", editor)
    assert len(crm.received()) == 1


def test_a_test_is_queued_before_deliveries(browser: Client, connection: Connection) -> None:
    job_queue.enqueue("referrals.jobs.deliver_due", timeout_seconds=60)
    press_test(browser, connection)
    names = [job.func_name for job in job_queue._queue().get_jobs()]
    assert names == ["connections.jobs.test_connection", "referrals.jobs.deliver_due"]


@pytest.mark.django_db(transaction=True)
def test_save_and_test_saves_the_form_without_redis(
    redis_down: None, browser: Client, connection: Connection
) -> None:
    form = change_form(browser, connection) | {"reason_path": ["title"], "_test": ["1"]}

    wait_url = browser.post(change_url(connection), form).headers["Location"]

    assert Connection.objects.get().reason_path == "title"
    assert "The queue does not answer" in browser.get(wait_url).content.decode()
    browser.post(f"{wait_url}now/")
    assert ConnectionTest.objects.get().is_good


def test_a_connection_without_a_testing_endpoint_is_not_tested(
    browser: Client, connection: Connection
) -> None:
    connection.endpoints.filter(environment="testing").delete()
    response = browser.post(page_url("test", connection.pk))
    assert response.headers["Location"] == change_url(connection)
    (message,) = read_messages(response)
    assert message == (
        "Mailing list can't be tested yet. The connection has no endpoint for testing: add one, or "
        "choose another environment for tests under Settings."
    )


def test_save_and_test_saves_the_form_and_tests_the_connection(
    browser: Client, connection: Connection
) -> None:
    form = change_form(browser, connection) | {"reason_path": ["title"], "_test": ["1"]}
    response = browser.post(change_url(connection), form)
    assert "/test/" in response.headers["Location"]
    run_jobs()
    test = ConnectionTest.objects.get()
    assert Connection.objects.get().reason_path == "title"
    assert Connection.objects.tested().get() == test.connection


def new_form(browser: Client, crm: CRM) -> dict[str, list[str]]:
    form = read_form(browser.get(page_url("add"), {"empty": "1"}).content.decode())
    url = f"{crm.url}/3.0/lists/new/members"
    return form | {"name": ["New"], "endpoints-2-url": [url], "_test": ["1"]}


@pytest.mark.django_db(transaction=True)
def test_a_test_is_queued_once_the_form_is_committed(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    form = change_form(browser, connection) | {"_test": ["1"]}

    with transaction.atomic():
        changed = browser.post(change_url(connection), form).headers["Location"]
        added = browser.post(page_url("add"), new_form(browser, crm)).headers["Location"]
        assert job_queue.waiting_count() == 0

    new = Connection.objects.get(name="New")
    assert changed == page_url("wait", connection.pk, job_id_of(changed))
    assert added == page_url("wait", new.pk, job_id_of(added))
    assert [job.args[0] for job in job_queue._queue().jobs] == [new.pk, connection.pk]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_while_a_transaction_is_open(
    browser: Client, connection: Connection, crm: CRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shared_client() -> Any:
        assert not database.in_atomic_block
        return shared.shared_client()

    monkeypatch.setattr(connection_tests, "shared_client", shared_client)
    form = change_form(browser, connection) | {"_test": ["1"]}

    wait_url = browser.post(change_url(connection), form).headers["Location"]
    browser.post(f"{wait_url}now/")

    assert len(crm.received()) == 1
    assert Connection.objects.tested().get() == connection


def test_every_test_is_recorded_once(browser: Client, connection: Connection, editor: User) -> None:
    press_test(browser, connection)
    run_jobs()
    entry = HistoryEntry.objects.get()
    assert (entry.user, entry.door, entry.message) == (editor, Door.ADMIN, "Tested (testing).")

    browser.post(page_url("send_now", connection.pk, "none"))
    assert HistoryEntry.objects.latest("pk").message == "Tested (testing): duplicate."
