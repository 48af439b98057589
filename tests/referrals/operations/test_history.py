"""Tests of the history that operations on deliveries write."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from connections.models import Account, Campaign, Connection, HistoryEntry, Link, ResponseRule
from connections.operations.history import Actor, Door
from connections.operations.links import link_campaign
from connections.operations.pause_hold_release import hold_connection
from referrals.models import BreakerState, Delivery, IntakeKey
from referrals.operations import chunks
from referrals.operations.backfill import backfill
from referrals.operations.cancel import cancel
from referrals.operations.release import release
from referrals.operations.replay import replay
from referrals.operations.reread import reread
from referrals.operations.revoke_keys import revoke
from tests.history import history
from tests.referrals.factories import create_referrals, deliver, get_delivery
from tests.users import SOMEBODY, create_user, login_client

SOON = timedelta(minutes=1)


@pytest.fixture
def eda(account: Account) -> User:
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def by(eda: User) -> Actor:
    return Actor(door=Door.ADMIN, user=eda)


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> str:
    """Run commands as the login `deploy`."""
    monkeypatch.setenv("LOGNAME", "deploy")
    return "deploy"


def delivery_histories() -> dict[str, list[tuple[str, str, str]]]:
    """Return the history of every delivery by its referral's external id."""
    rows = Delivery.objects.select_related("referral")
    return {row.referral.external_id: history(row) for row in rows}


def mark_in_flight(external_id: str) -> None:
    row = get_delivery(external_id)
    Delivery.objects.filter(pk=row.pk).update(claimed_at=timezone.now())


def run(*arguments: str) -> None:
    """Run a command; an exit code of 1 means that some attempts were no success."""
    try:
        call_command(*arguments, stdout=StringIO(), stderr=StringIO())
    except SystemExit as error:
        assert error.code == 1  # noqa: PT017


def replace_rules(connection: Connection, outcome: str) -> None:
    """Replace the rules by one that gives a response with status 200 this outcome."""
    connection.response_rules.all().delete()
    ResponseRule.objects.create(connection=connection, position=1, outcome=outcome, status="200")


def test_each_replayed_delivery_gets_one_entry(
    link: Link, campaign: Campaign, by: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 2)
    create_referrals(campaign, "a", "b", "c", "d")
    mark_in_flight("b")
    assert replay(Delivery.objects.exclude(referral__external_id="d"), by=by) == 2
    replayed = [("Eda", "admin", "Replayed.")]
    assert delivery_histories() == {"a": replayed, "b": [], "c": replayed, "d": []}


def test_each_cancelled_delivery_gets_one_entry(
    link: Link, campaign: Campaign, by: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 2)
    create_referrals(campaign, "a", "b", "c", "d")
    mark_in_flight("b")
    everything = Delivery.objects.all()
    assert (cancel(everything, by=by), cancel(everything, by=by)) == (3, 0)
    cancelled = [("Eda", "admin", "Cancelled.")]
    assert delivery_histories() == {"a": cancelled, "b": [], "c": cancelled, "d": cancelled}


def test_a_reread_is_recorded_only_on_changed_deliveries(
    link: Link, campaign: Campaign, by: Actor
) -> None:
    create_referrals(campaign, "odd@example.com", "jo@example.com", "no@mail")
    deliver()
    assert reread(Delivery.objects.all(), by=by) == {}
    assert not HistoryEntry.objects.filter(door="admin").exists()

    replace_rules(link.connection, "rejected")
    assert reread(Delivery.objects.all(), by=by) == {"rejected": 2}
    assert delivery_histories() == {
        "odd@example.com": [("Eda", "admin", "Re-read: unrecognised → rejected.")],
        "jo@example.com": [("Eda", "admin", "Re-read: delivered → rejected.")],
        "no@mail": [],
    }


def test_a_backfill_is_recorded_on_deliveries_campaign_and_connection(
    campaign: Campaign, connection: Connection, by: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 2)
    create_referrals(campaign, "a", "b", "c")
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    create_referrals(campaign, "new")
    since = timezone.now() - SOON

    assert backfill(campaign, connection, since=since, by=by) == 3
    assert backfill(campaign, connection, since=since, by=by) == 0

    entries = [("Eda", "admin", "Past referrals of Newsletter delivered to Mailing list: 3.")]
    assert (history(campaign)[1:], history(connection)[1:]) == (entries, entries)
    created = [("Eda", "admin", "Created for a past referral.")]
    assert delivery_histories() == {"a": created, "b": created, "c": created, "new": []}


def test_a_release_is_recorded_on_deliveries_that_become_due(
    link: Link, campaign: Campaign, by: Actor
) -> None:
    create_referrals(campaign, "unauthorized.1@example.com", "unauthorized.2@example.com")
    deliver()
    hold_connection(link.connection_id, by=Actor(door=Door.WORKER), reason="")
    create_referrals(campaign, "jo@example.com")
    assert release(link.connection, by=by) == 3
    due = [("Eda", "admin", "Due again: its connection was released.")]
    assert delivery_histories() == {
        "unauthorized.1@example.com": due,
        "unauthorized.2@example.com": due,
        "jo@example.com": [],
    }
    assert history(link.connection)[1:] == [("", "worker", "Held."), ("Eda", "admin", "Released.")]


def test_a_release_is_recorded_if_the_breaker_is_open_and_not_if_it_is_closed(
    connection: Connection, by: Actor
) -> None:
    release(connection, by=by)
    assert history(connection) == []
    BreakerState.objects.update(open_until=timezone.now() + SOON)
    release(connection, by=by)
    assert history(connection) == [("Eda", "admin", "Released.")]


def test_a_release_of_a_held_connection_with_an_open_breaker_is_one_entry(
    connection: Connection, by: Actor
) -> None:
    hold_connection(connection.pk, by=by, reason="")
    BreakerState.objects.create(pk=connection.pk, open_until=timezone.now() + SOON)
    release(connection, by=by)
    assert history(connection) == [("Eda", "admin", "Held."), ("Eda", "admin", "Released.")]


def test_a_hold_by_a_worker_is_recorded(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, *[f"unauthorized.{number}@example.com" for number in range(3)])
    deliver()
    held = HistoryEntry.objects.get(door="worker")
    assert (held.object_id, held.user, held.login) == (str(link.connection_id), None, "")
    assert held.message.startswith("Held")


def test_revoking_a_key_is_recorded_once(account: Account, by: Actor) -> None:
    key = IntakeKey.objects.create(account=account, name="Key", start="k", digest="d")
    assert (revoke(IntakeKey.objects.all(), by=by), revoke(IntakeKey.objects.all(), by=by)) == (
        1,
        0,
    )
    assert history(key) == [("Eda", "admin", "Revoked.")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("replay", "--outcome", "pending"), "Replayed."),
        (("cancel",), "Cancelled."),
    ],
)
def test_a_command_leaves_one_entry_on_each_delivery(
    link: Link, campaign: Campaign, login: str, arguments: tuple[str, ...], message: str
) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")
    run(*arguments, "--campaign", campaign.key, "--dry-run")
    assert delivery_histories() == {"a@example.com": [], "b@example.com": []}
    run(*arguments, "--campaign", campaign.key)
    entry = [("deploy", "command", message)]
    assert delivery_histories() == {"a@example.com": entry, "b@example.com": entry}


def test_the_reread_command_leaves_one_entry(link: Link, campaign: Campaign, login: str) -> None:
    create_referrals(campaign, "odd@example.com")
    deliver()
    replace_rules(link.connection, "delivered")
    run("reread", "--campaign", campaign.key)
    run("reread", "--campaign", campaign.key)
    entry = ("deploy", "command", "Re-read: unrecognised → delivered.")
    assert delivery_histories() == {"odd@example.com": [entry]}


def test_the_backfill_command_leaves_one_entry_on_each_row(
    campaign: Campaign, connection: Connection, login: str
) -> None:
    create_referrals(campaign, "jo@example.com")
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    arguments = ("--campaign", campaign.key, "--connection", str(connection.pk))
    run("replay", "--backfill", *arguments, "--since", str(datetime(2000, 1, 1)))  # noqa: DTZ001
    entries = [("deploy", "command", "Past referrals of Newsletter delivered to Mailing list: 1.")]
    assert (history(campaign)[1:], history(connection)[1:]) == (entries, entries)
    created = [("deploy", "command", "Created for a past referral.")]
    assert delivery_histories() == {"jo@example.com": created}


def test_the_demo_records_what_it_adds_once(db: None, login: str) -> None:
    for _ in range(2):
        run("demo", "--json")
    for connection in Connection.objects.all():
        linked = f"Linked {connection.links.get().campaign} to {connection}."
        assert history(connection) == [
            ("deploy", "command", "Added from the demo."),
            ("deploy", "command", linked),
        ]


@pytest.mark.usefixtures("unmanifested_static")
def test_the_history_page_of_a_delivery_shows_the_entry_of_a_command(
    link: Link, campaign: Campaign, eda: User, login: str
) -> None:
    create_referrals(campaign, "jo@example.com")
    run("cancel", "--campaign", campaign.key)
    url = f"/admin/referrals/delivery/{get_delivery('jo@example.com').pk}/history/"
    html = " ".join(login_client(eda).get(url).content.decode().split())
    assert "<bdi>deploy</bdi> </td> <td>Command</td> <td> <bdi>Cancelled.</bdi>" in html

    foreign_editor = create_user("Stan", Account.objects.create(name="Other"), role="Editor")
    assert login_client(foreign_editor).get(url).status_code == 404
    assert login_client(create_user("Mel", link.campaign.account)).get(url).status_code == 403
    assert Client().get(url).status_code == 302
