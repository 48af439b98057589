"""The list of connections tests those that are chosen, and says what came of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from connections.http.spec import ConnectionSpec
from connections.models import Account, Connection, ConnectionTest, ResponseRule
from connections.storing import store_connection
from tests.crm import CRM

pytestmark = pytest.mark.usefixtures("uncollected")

MISSING = (
    "The connection has no endpoint for testing: add one, or choose another environment for tests "
    "under Settings."
)
LIST = reverse("admin:connections_connection_changelist")


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


def test_chosen_connections_are_tested_and_each_result_is_told(
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
        ("error", f"Nowhere: endpoints.testing: {MISSING}"),
        ("success", "Mailing list (testing): delivered, 200. "),
        (
            "warning",
            "Known (testing): rejected, 400. Please provide a valid email address.",
        ),
    ]

    assert sorted(one.email for one in crm.received()) == ["john.smith@example.com", "nobody"]
    assert ConnectionTest.objects.count() == 2
    assert sorted(LogEntry.objects.values_list("object_repr", "change_message")) == [
        ("Known", "Tested: rejected."),
        ("Mailing list", "Tested: delivered."),
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
    assert len(crm.received()) == 1
