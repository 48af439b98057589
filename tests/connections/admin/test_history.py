"""Tests of the history pages."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from connections.core.spec import ConnectionSpec
from connections.importers.files import dump_connection
from connections.models import Account, Campaign, Connection, HistoryEntry
from connections.operations.history import Actor, Door, record_change, record_changes
from connections.operations.pause_hold_release import hold_connection
from tests.history import history
from tests.users import SOMEBODY, create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")


@pytest.fixture
def eda(account: Account) -> User:
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def browser(eda: User) -> Client:
    return login_client(eda)


def page_url(kind: str, row: Any) -> str:
    return reverse(f"admin:connections_{row._meta.model_name}_{kind}", args=[row.pk])


def read_history(browser: Client, row: Any, query: str = "") -> str:
    return " ".join(browser.get(page_url("history", row) + query).content.decode().split())


def form_fields(campaign: Campaign, **changed: str) -> dict[str, str]:
    return {"name": campaign.name, "kind": campaign.kind, "status": campaign.status, **changed}


def test_a_change_in_a_form_is_recorded_in_the_history_alone(
    browser: Client, campaign: Campaign
) -> None:
    browser.post(
        page_url("change", campaign), form_fields(campaign, name="Renamed", status="paused")
    )
    assert history(campaign) == [("Eda", "admin", "Changed Name and Status.")]
    assert not LogEntry.objects.exists()


def test_a_form_without_a_change_is_not_recorded(browser: Client, campaign: Campaign) -> None:
    response = browser.post(page_url("change", campaign), form_fields(campaign))
    assert response.status_code == 302
    assert history(campaign) == []


def test_an_added_row_is_recorded_in_its_history(browser: Client, account: Account) -> None:
    added = {"account": str(account.pk), "name": "New", "kind": "lead_generation", "status": "live"}
    browser.post(reverse("admin:connections_campaign_add"), added)
    assert history(Campaign.objects.get()) == [("Eda", "admin", "Added.")]


@pytest.mark.parametrize("is_action", [False, True])
def test_a_deletion_is_recorded_in_the_history_of_the_account(
    admin_client: Client, campaign: Campaign, account: Account, is_action: bool
) -> None:
    data = {"post": "yes"}
    url = page_url("delete", campaign)
    if is_action:
        url = reverse("admin:connections_campaign_changelist")
        data |= {"action": "delete_selected", "_selected_action": str(campaign.pk)}
    admin_client.post(url, data)
    assert not Campaign.objects.exists()
    assert history(account) == [("admin", "admin", "Deleted the campaign “Newsletter”.")]


def test_a_file_loaded_by_a_command_is_shown_in_the_history(
    browser: Client, account: Account, connection_spec: ConnectionSpec, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LOGNAME", "deploy")
    path = tmp_path / "connection.toml"
    path.write_text(dump_connection(connection_spec))
    for _ in range(2):
        call_command("load_connection", str(path), "--account", account.slug, stdout=StringIO())

    connection = Connection.objects.get()
    assert history(connection) == [("deploy", "command", "Added from a file.")]
    assert "<td>Command</td> <td> <bdi>Added from a file.</bdi>" in read_history(
        browser, connection
    )


def test_a_hold_by_a_worker_is_shown_in_the_history_with_its_reason_escaped(
    browser: Client, connection: Connection
) -> None:
    hold_connection(connection.pk, by=Actor(door=Door.WORKER), reason="<b>Refused</b>")
    found = read_history(browser, connection)
    assert "<bdi>–</bdi> </td> <td>Worker</td>" in found
    assert "Held: &lt;b&gt;Refused&lt;/b&gt;" in found


def test_an_empty_history_is_explained(browser: Client, campaign: Campaign) -> None:
    assert "Nothing was changed yet." in read_history(browser, campaign)


def test_a_long_history_is_paginated(
    browser: Client, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    for number in range(101):
        record_change(campaign, by=SOMEBODY, message=f"Change {number:03}.")
    with django_assert_max_num_queries(10):
        first = read_history(browser, campaign)
    assert ("Change 100." in first, "Change 000." in first) == (True, False)
    assert "Page 1 of 2" in first
    second = read_history(browser, campaign, "?page=2")
    assert ("Change 001." in second, "Change 000." in second) == (False, True)


def test_the_history_needs_an_account_and_a_role(campaign: Campaign) -> None:
    record_changes(Campaign, [campaign.pk], by=SOMEBODY, message="Renamed.")
    other = Account.objects.create(name="Other", slug="other")
    stranger = login_client(create_user("Stan", other, role="Editor"))
    assert stranger.get(page_url("history", campaign)).status_code == 404
    without_role = login_client(create_user("Mel", campaign.account))
    assert without_role.get(page_url("history", campaign)).status_code == 403
    assert HistoryEntry.objects.count() == 1
