"""Tests of the page that waits for the result of a test."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from config.queue import heartbeats, job_queue
from config.queue.redis import redis_connection
from connections.models import Account, Connection, ConnectionTest, ResponseRule
from connections.pages import connection_test
from connections.simulator import CRM
from tests.connections.pages.helpers import (
    change_url,
    job_id_of,
    page_url,
    press_test,
    read_messages,
)
from tests.worker import run_jobs

pytestmark = pytest.mark.usefixtures("unmanifested_static")


def start_job(job_id: str) -> None:
    """Start the job as a worker does, without finishing it."""
    assert job_queue.remove(job_id)
    job = Job.fetch(job_id, connection=redis_connection(), serializer=JSONSerializer)
    job.set_status(JobStatus.STARTED)


def read_page(browser: Client, wait_url: str) -> str:
    return browser.get(wait_url).content.decode().replace("&#x27;", "'")


def read_state(browser: Client, wait_url: str) -> dict[str, str]:
    return dict(browser.get(wait_url, headers={"Accept": "application/json"}).json())


def test_the_state_of_a_test_is_available_as_json(browser: Client, connection: Connection) -> None:
    wait_url = press_test(browser, connection)
    assert read_state(browser, wait_url) == {"state": "waiting"}
    run_jobs()
    test = ConnectionTest.objects.get()
    assert read_state(browser, wait_url) == {"url": page_url("result", connection.pk, test.pk)}


def test_a_test_without_a_worker_can_be_sent_from_the_web_process(
    browser: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch, crm: CRM
) -> None:
    monkeypatch.setattr(connection_test, "MAX_WAIT_SECONDS", 0.0)
    wait_url = press_test(browser, connection)
    html = browser.get(wait_url).content.decode()
    assert "No worker answers." in html
    assert "Send from the web process instead" in html
    response = browser.post(f"{wait_url}now/")
    test = ConnectionTest.objects.get()
    assert response.headers["Location"] == page_url("result", connection.pk, test.pk)
    run_jobs()
    assert len(crm.received()) == 1


def test_a_test_that_a_worker_has_started_is_not_sent_again(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    wait_url = press_test(browser, connection)
    start_job(job_id_of(wait_url))

    response = browser.post(f"{wait_url}now/")

    assert response.headers["Location"] == wait_url
    assert read_messages(response) == ["A worker has begun with the test meanwhile."]
    assert crm.received() == []


def test_a_test_that_has_a_result_is_not_sent_again(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    wait_url = press_test(browser, connection)
    run_jobs()

    response = browser.post(f"{wait_url}now/")

    assert response.headers["Location"] == wait_url
    assert len(crm.received()) == 1


def test_the_page_of_a_running_test_waits_for_the_crm(
    browser: Client, connection: Connection
) -> None:
    wait_url = press_test(browser, connection)
    start_job(job_id_of(wait_url))
    assert "waiting for the CRM's answer" in read_page(browser, wait_url)
    assert read_state(browser, wait_url) == {"state": "running"}


def test_the_page_distinguishes_busy_workers_from_no_worker(
    browser: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_test, "MAX_WAIT_SECONDS", 0.0)
    wait_url = press_test(browser, connection)
    assert "No worker answers." in read_page(browser, wait_url)
    assert read_state(browser, wait_url) == {"state": "silent"}
    heartbeats.record_heartbeat(heartbeats.WORKER)
    assert "The workers are busy with deliveries." in read_page(browser, wait_url)
    assert read_state(browser, wait_url) == {"state": "busy"}


def test_a_failed_test_can_be_sent_from_the_web_process(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    wait_url = press_test(browser, connection)
    invalid_rule = ResponseRule.objects.create(
        connection=connection, status="soon", outcome="delivered"
    )
    run_jobs()
    assert "The worker failed at this test." in read_page(browser, wait_url)
    assert read_state(browser, wait_url) == {"state": "failed"}
    invalid_rule.delete()

    browser.post(f"{wait_url}now/")

    assert ConnectionTest.objects.get().outcome == "delivered"
    assert len(crm.received()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_test_without_redis_can_be_sent_from_the_web_process(
    redis_down: None, browser: Client, connection: Connection
) -> None:
    wait_url = press_test(browser, connection)
    assert wait_url == page_url("wait", connection.pk, "none")
    assert "The queue does not answer" in read_page(browser, wait_url)
    browser.post(f"{wait_url}now/")
    assert ConnectionTest.objects.get().is_good


def test_a_test_that_the_queue_no_longer_has_is_explained(
    browser: Client, connection: Connection
) -> None:
    page = browser.get(page_url("wait", connection.pk, "0000-gone"))
    assert "knows nothing of this test" in page.content.decode()


def test_a_test_of_another_connection_is_not_found(
    browser: Client, connection: Connection, account: Account
) -> None:
    other = Connection.objects.create(account=account, name="Other")
    wait_url = press_test(browser, connection)
    assert browser.get(page_url("wait", other.pk, job_id_of(wait_url))).status_code == 404


def test_a_job_that_is_not_a_test_is_explained_as_unknown(
    browser: Client, connection: Connection
) -> None:
    job_queue.enqueue("referrals.jobs.deliver_due", timeout_seconds=60)
    (job,) = job_queue._queue().get_jobs()
    page = browser.get(page_url("wait", connection.pk, job.id))
    assert "knows nothing of this test" in page.content.decode()


def test_a_connection_that_lost_its_endpoint_is_not_tested_from_the_web_process(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    wait_url = press_test(browser, connection)
    connection.endpoints.filter(environment="testing").delete()

    response = browser.post(f"{wait_url}now/")

    assert response.headers["Location"] == change_url(connection)
    assert read_messages(response)[0].startswith("Mailing list can't be tested yet. ")
    assert crm.received() == []


def test_a_test_that_the_queue_never_got_can_be_sent_from_the_web_process(
    browser: Client, connection: Connection, crm: CRM
) -> None:
    wait_url = page_url("wait", connection.pk, str(uuid4()))
    assert "knows nothing of this test" in read_page(browser, wait_url)
    assert read_state(browser, wait_url) == {"state": "gone"}

    browser.post(f"{wait_url}now/")

    assert ConnectionTest.objects.get().is_good
    assert len(crm.received()) == 1
