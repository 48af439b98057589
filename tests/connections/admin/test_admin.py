"""The list of connections has the chosen ones tested, and says what to do when it is empty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from connections.core.spec import ConnectionSpec
from connections.jobs import QueueUnavailable
from connections.mapping.to_rows import store_connection
from connections.models import Account, Connection, ConnectionTest, ResponseRule
from connections.pages import connection_test
from connections.simulator import CRM
from tests.connections.pages.helpers import work_off

pytestmark = pytest.mark.usefixtures("uncollected")

MISSING = (
    "The connection has no endpoint for testing: add one, or choose another environment for tests "
    "under Settings."
)
LIST = reverse("admin:connections_connection_changelist")
TESTS = reverse("admin:connections_connectiontest_changelist")


def run_tests(browser: Client, *connections: Connection) -> list[tuple[str, str]]:
    """What the person is told, and how loud."""
    chosen: dict[str, Any] = {
        "action": "test_connections",
        "_selected_action": [one.pk for one in connections],
    }
    response = browser.post(LIST, chosen)
    assert response.status_code == 302
    told = get_messages(response.wsgi_request)
    return sorted((one.level_tag, str(one)) for one in told)


def test_chosen_connections_are_tested_by_a_worker(
    admin_client: Client, account: Account, connection: Connection, described: ConnectionSpec,
    crm: CRM,
) -> None:  # fmt: skip
    known = store_connection(
        replace(described, name="Known", sample={"email": "nobody"}), account=account
    )
    nowhere = store_connection(
        replace(described, name="Nowhere", endpoints={"production": crm.url}), account=account
    )

    assert run_tests(admin_client, connection, known, nowhere) == [
        ("error", f"Nowhere can't be tested yet. {MISSING}"),
        ("success", f'Tests under way: 2. <a href="{TESTS}">Their results</a>'),
    ]

    assert crm.received() == []
    work_off()
    assert sorted(one.email for one in crm.received()) == ["john.smith@example.com", "nobody"]
    assert sorted(ConnectionTest.objects.values_list("outcome", flat=True)) == [
        "delivered",
        "rejected",
    ]
    assert sorted(LogEntry.objects.values_list("object_repr", "change_message")) == [
        ("Known", "Tested (testing)."),
        ("Mailing list", "Tested (testing)."),
    ]


def test_a_connection_whose_rows_are_wrong_does_not_stop_the_others(
    admin_client: Client, account: Account, connection: Connection, described: ConnectionSpec,
    crm: CRM,
) -> None:  # fmt: skip
    broken = store_connection(replace(described, name="Broken"), account=account)
    ResponseRule.objects.create(connection=broken, status="soon", outcome="delivered")

    assert [level for level, _ in run_tests(admin_client, connection, broken)] == [
        "error",
        "success",
    ]
    work_off()
    assert len(crm.received()) == 1


def test_without_a_queue_a_chosen_connection_is_tested_at_once(
    admin_client: Client, connection: Connection, crm: CRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_test, "job_queue", lambda: None)
    assert [level for level, _ in run_tests(admin_client, connection)] == ["success"]
    assert len(crm.received()) == 1


def test_a_queue_that_is_away_is_told(
    admin_client: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def enqueue(self, *_: int) -> str:
            raise QueueUnavailable("The queue does not answer.")

    monkeypatch.setattr(connection_test, "job_queue", Away)
    assert run_tests(admin_client, connection) == [
        ("error", "Mailing list is not tested. The queue does not answer.")
    ]


def test_an_empty_list_says_what_a_connection_is(admin_client: Client) -> None:
    assert "There is no connection yet" in admin_client.get(LIST).content.decode()
    found = admin_client.get(LIST, {"q": "none"}).content.decode()
    assert "No connection fits." in found
