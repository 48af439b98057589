"""Tests of the list of connections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from connections.core.spec import ConnectionSpec
from connections.mapping.to_rows import store_connection
from connections.models import Account, Connection, ConnectionTest, ResponseRule
from connections.models.history import HistoryEntry
from connections.simulator import CRM
from tests.worker import run_jobs

pytestmark = pytest.mark.usefixtures("unmanifested_static")

MISSING = (
    "The connection has no endpoint for testing: add one, or choose another environment for tests "
    "under Settings."
)
LIST = reverse("admin:connections_connection_changelist")
TESTS = reverse("admin:connections_connectiontest_changelist")


def run_tests(browser: Client, *connections: Connection) -> list[tuple[str, str]]:
    """Run the action; return the level and the text of each message."""
    data: dict[str, Any] = {
        "action": "test_connections",
        "_selected_action": [connection.pk for connection in connections],
    }
    response = browser.post(LIST, data)
    assert response.status_code == 302
    messages = get_messages(response.wsgi_request)
    return sorted((message.level_tag, str(message)) for message in messages)


def test_chosen_connections_are_tested_by_a_worker(
    admin_client: Client, account: Account, connection: Connection, connection_spec: ConnectionSpec,
    crm: CRM,
) -> None:  # fmt: skip
    duplicate = store_connection(
        replace(connection_spec, name="Known", sample={"email": "nobody"}), account=account
    )
    without_endpoint = store_connection(
        replace(connection_spec, name="Nowhere", endpoints={"production": crm.url}), account=account
    )

    assert run_tests(admin_client, connection, duplicate, without_endpoint) == [
        ("error", f"Nowhere can't be tested yet. {MISSING}"),
        ("success", f'Tests under way: 2. <a href="{TESTS}">Their results</a>'),
    ]

    assert crm.received() == []
    run_jobs()
    assert sorted(request.email for request in crm.received()) == [
        "john.smith@example.com",
        "nobody",
    ]
    assert sorted(ConnectionTest.objects.values_list("outcome", flat=True)) == [
        "delivered",
        "rejected",
    ]
    assert sorted(HistoryEntry.objects.values_list("object_id", "message")) == [
        (str(connection.pk), "Tested (testing)."),
        (str(duplicate.pk), "Tested (testing)."),
    ]


def test_a_connection_with_invalid_rows_does_not_stop_the_others(
    admin_client: Client, account: Account, connection: Connection, connection_spec: ConnectionSpec,
    crm: CRM,
) -> None:  # fmt: skip
    broken = store_connection(replace(connection_spec, name="Broken"), account=account)
    ResponseRule.objects.create(connection=broken, status="soon", outcome="delivered")

    assert [level for level, _ in run_tests(admin_client, connection, broken)] == [
        "error",
        "success",
    ]
    run_jobs()
    assert len(crm.received()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_test_without_redis_shows_an_error(
    redis_down: None, admin_client: Client, connection: Connection
) -> None:
    assert run_tests(admin_client, connection) == [
        ("error", "Mailing list is not tested. The queue does not answer.")
    ]
    assert not HistoryEntry.objects.exists()


def test_an_empty_list_explains_what_a_connection_is(admin_client: Client) -> None:
    assert "There is no connection yet" in admin_client.get(LIST).content.decode()
    found = admin_client.get(LIST, {"q": "none"}).content.decode()
    assert "No connection fits." in found
