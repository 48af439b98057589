"""Tests of the history that operations on connections record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.core.messages import Response
from connections.core.request.spec import Environment
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec
from connections.models import Account, Campaign, Connection, HistoryEntry, Link
from connections.operations.history import Actor, Door, record_change, record_changes
from connections.operations.links import (
    CampaignAlreadyLinked,
    NotLinked,
    link_campaign,
    unlink_campaign,
)
from connections.operations.pause_hold_release import (
    hold_connection,
    pause_connection,
    release_connection,
)
from connections.operations.rules_from_tests import NameTaken, add_rule, keep_expected_response
from connections.operations.save import save_connection
from tests.history import history
from tests.users import SOMEBODY

RESPONSE = Response(status=404, headers=(), body=b"")


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Actor:
    """Return the actor of a command that the login deploy runs."""
    monkeypatch.setenv("LOGNAME", "deploy")
    return Actor.of_command()


def make_rule(connection: Connection, by: Actor) -> Any:
    return add_rule(
        connection, rule=Rule(outcome=Outcome.REJECTED, status="404"), response=RESPONSE, by=by
    )


def keep_response(connection: Connection, by: Actor) -> Any:
    return keep_expected_response(
        connection, name="Gone", response=RESPONSE, outcome=Outcome.REJECTED, by=by
    )


@pytest.mark.parametrize("door", Door)
def test_an_entry_has_its_user_door_and_message(
    connection: Connection, admin_user: User, door: Door
) -> None:
    before = timezone.now()
    record_change(connection, by=Actor(door=door, user=admin_user), message="Renamed.")
    entry = HistoryEntry.objects.get()
    assert (entry.user, entry.door, entry.login) == (admin_user, door.value, "")
    assert (entry.object_id, entry.message) == (str(connection.pk), "Renamed.")
    assert before <= entry.created_at <= timezone.now()
    assert history(connection) == [("admin", door.value, "Renamed.")]


def test_an_entry_of_a_command_has_the_login(connection: Connection, deploy: Actor) -> None:
    record_change(connection, by=deploy, message="Renamed.")
    assert history(connection) == [("deploy", "command", "Renamed.")]


def test_a_login_without_a_name_is_recorded_by_its_uid(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert Actor.of_command().login.startswith("uid ")


def test_an_unknown_door_is_refused(connection: Connection) -> None:
    entry = {"content_type_id": 1, "object_id": "1", "message": ""}
    with pytest.raises(IntegrityError), transaction.atomic():
        HistoryEntry.objects.create(door="window", **entry)


def test_rows_of_other_models_with_the_same_key_have_their_own_history(
    connection: Connection,
) -> None:
    record_changes(Connection, [connection.pk], by=SOMEBODY, message="Renamed.")
    assert list(HistoryEntry.objects.of(Campaign, connection.pk)) == []
    assert HistoryEntry.objects.of(Connection, connection.pk).count() == 1


def test_every_row_has_a_history_of_its_own(account: Account, connection: Connection) -> None:
    other = Connection.objects.create(account=account, name="Other")
    record_change(connection, by=SOMEBODY, message="Renamed.")
    record_changes(Connection, [connection.pk, other.pk], by=SOMEBODY, message="Paused.")
    messages = {
        row.name: [message for _, _, message in history(row)] for row in (connection, other)
    }
    assert messages == {"Mailing list": ["Renamed.", "Paused."], "Other": ["Paused."]}


def test_the_newest_entry_is_first(connection: Connection) -> None:
    for message in ("first", "second"):
        record_change(connection, by=SOMEBODY, message=message)
    entries = HistoryEntry.objects.of(Connection, connection.pk)
    assert [str(entry) for entry in entries] == ["second", "first"]


def test_entries_are_kept_when_their_user_is_deleted(
    connection: Connection, admin_user: User
) -> None:
    record_change(connection, by=Actor(door=Door.ADMIN, user=admin_user), message="Renamed.")
    admin_user.delete()
    assert history(connection) == [("", "admin", "Renamed.")]


def test_linking_and_unlinking_are_recorded_for_campaign_and_connection(
    campaign: Campaign, connection: Connection, deploy: Actor
) -> None:
    link_campaign(campaign, connection=connection, by=deploy)
    unlink_campaign(campaign, connection=connection, by=deploy)
    expected = [
        ("deploy", "command", "Linked Newsletter to Mailing list."),
        ("deploy", "command", "Unlinked Newsletter from Mailing list."),
    ]
    assert (history(campaign), history(connection)) == (expected, expected)
    assert (Link.objects.get().linked_by, Link.objects.get().unlinked_by) == (None, None)


def test_a_refused_operation_is_not_recorded(campaign: Campaign, connection: Connection) -> None:
    with pytest.raises(NotLinked):
        unlink_campaign(campaign, connection=connection, by=SOMEBODY)
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    count = HistoryEntry.objects.count()
    with pytest.raises(CampaignAlreadyLinked):
        link_campaign(campaign, connection=connection, by=SOMEBODY)
    assert HistoryEntry.objects.count() == count


def test_a_change_of_state_is_recorded_once(connection: Connection, deploy: Actor) -> None:
    worker = Actor(door=Door.WORKER)
    for _ in range(2):
        hold_connection(connection.pk, by=worker, reason="jo@example.com is refused")
    for _ in range(2):
        release_connection(connection, by=deploy)
    for _ in range(2):
        pause_connection(connection, by=deploy, reason="Moving")
    release_connection(connection, by=deploy)
    hold_connection(connection.pk, by=worker, reason="")
    assert history(connection) == [
        ("", "worker", "Held: •••• is refused"),
        ("deploy", "command", "Released."),
        ("deploy", "command", "Paused."),
        ("deploy", "command", "Released."),
        ("", "worker", "Held."),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (make_rule, "Made a rule from a test: status 404 → rejected."),
        (keep_response, "Kept an expected response: Gone."),
    ],
)
def test_a_rule_or_response_made_from_a_test_is_recorded(
    connection: Connection, deploy: Actor, change: Callable[[Connection, Actor], Any], message: str
) -> None:
    change(connection, deploy)
    assert history(connection) == [("deploy", "command", message)]


def test_an_expected_response_with_a_taken_name_is_not_recorded(connection: Connection) -> None:
    keep_response(connection, SOMEBODY)
    with pytest.raises(NameTaken):
        keep_response(connection, SOMEBODY)
    assert len(history(connection)) == 1


def test_a_saved_connection_is_recorded_if_it_changed(
    account: Account, connection_spec: ConnectionSpec, deploy: Actor
) -> None:
    def save(spec: ConnectionSpec) -> Connection:
        return save_connection(spec, account=account, by=deploy, source="a file")

    connection = save(connection_spec)
    assert save(connection_spec) == connection
    save(replace(connection_spec, method="PUT"))
    save(
        replace(
            connection_spec, method="PUT", endpoints={Environment.TESTING: "https://a.example/"}
        )
    )
    assert history(connection) == [
        ("deploy", "command", "Added from a file."),
        ("deploy", "command", "Changed from a file."),
        ("deploy", "command", "Changed from a file."),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_is_not_recorded(connection: Connection) -> None:
    with transaction.atomic():
        pause_connection(connection, by=SOMEBODY)
        transaction.set_rollback(True)
    assert Connection.objects.get().state == "active"
    assert history(connection) == []
