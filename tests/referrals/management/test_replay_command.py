"""Tests of `manage.py replay`."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from config import shutdown
from connections.models import Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.operations.pause_hold_release import hold_connection
from connections.simulator import CRM
from referrals.delivery.pump import deliver_due
from referrals.management.commands import replay as replay_command
from referrals.models import DeliveryAttempt, Referral
from tests.referrals.factories import (
    create_referrals,
    deliver,
    deliver_all,
    delivery_statuses,
    logged_attempts,
)
from tests.referrals.management.helpers import FIRST, SECOND, UNRECOGNISED, run_command
from tests.users import SOMEBODY

pytestmark = pytest.mark.usefixtures("untouched_signals")


def test_replay_makes_the_attempts_and_prints_their_outcomes(delivered: None) -> None:
    assert run_command("replay", "--outcome", "delivered") == (
        0,
        ["2 delivered", "2 attempts in all"],
    )
    assert logged_attempts(FIRST) == [(1, "delivered", 200), (2, "delivered", 200)]
    assert logged_attempts(UNRECOGNISED) == [(1, "unrecognised", 200)]


def test_replay_exits_1_if_an_attempt_was_no_success(delivered: None) -> None:
    code, output = run_command("replay", "--account", "acme")
    assert (code, output) == (1, ["2 delivered", "1 unrecognised", "3 attempts in all"])


def test_replay_without_matching_deliveries_makes_no_attempt(delivered: None) -> None:
    assert run_command("replay", "--outcome", "rejected") == (0, ["0 attempts in all"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--account", "acme", "--rate", "0"],
        ["--account", "acme", "--rate", "-1"],
        ["--account", "acme", "--rate", "fast"],
        ["--account", "acme", "--rate", "nan"],
        ["--account", "acme", "--rate", "inf"],
        ["--backfill", "--campaign", "cmp_news"],
        ["--backfill", "--connection", "1", "--since", "2026-01-31"],
    ],
)
def test_wrong_arguments_of_replay_exit_2(delivered: None, arguments: list[str]) -> None:
    assert run_command("replay", *arguments)[0] == 2


def test_replay_waits_between_attempts_for_a_rate(delivered: None, crm: CRM) -> None:
    began_at = time.time()
    code, output = run_command("replay", "--outcome", "delivered", "--rate", "1")
    assert (code, output) == (0, ["2 delivered", "2 attempts in all"])
    assert crm.received()[1].seconds >= began_at + 1


def test_replay_does_not_wait_for_a_held_connection(
    delivered: None, connection: Connection
) -> None:
    hold_connection(connection.pk, reason="Somebody must look.", by=SOMEBODY)
    code, output = run_command("replay", "--outcome", "delivered")
    assert (code, output) == (
        1,
        ["0 attempts in all", "2 not attempted: their connections are paused or held"],
    )
    assert delivery_statuses()[FIRST] == "pending"


def test_an_interrupted_replay_is_left_to_the_workers_and_can_be_started_again(
    delivered: None, crm: CRM, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        shutdown.request()
        deliver_due()

    monkeypatch.setattr(replay_command, "deliver_due", interrupted)
    code, output = run_command("replay", "--outcome", "delivered", "--rate", "0.5")
    assert (code, output[-1]) == (
        1,
        "Interrupted. What was put back is attempted by the workers.",
    )
    assert delivery_statuses() == {
        FIRST: "pending",
        SECOND: "pending",
        UNRECOGNISED: "unrecognised",
    }

    monkeypatch.setattr(shutdown, "_requested", False)
    monkeypatch.setattr(replay_command, "deliver_due", deliver_due)
    assert run_command("replay", "--outcome", "delivered") == (0, ["0 attempts in all"])
    assert run_command("replay", "--outcome", "pending") == (
        0,
        ["2 delivered", "2 attempts in all"],
    )
    assert run_command("replay", "--account", "acme", "--outcome", "pending")[1] == [
        "0 attempts in all"
    ]
    assert len(crm.received()) == 2


def test_replay_ends_after_one_attempt_of_a_delivery_that_keeps_failing(
    link: Link, campaign: Campaign
) -> None:
    create_referrals(campaign, "error@example.com")
    deliver()
    code, output = run_command("replay", "--account", "acme")
    assert (code, output) == (1, ["1 unavailable", "1 attempts in all"])
    assert delivery_statuses() == {"error@example.com": "pending"}


@pytest.mark.usefixtures("delivered")
def test_a_replayed_attempt_has_the_trigger_replay() -> None:
    run_command("replay", "--outcome", "delivered")
    triggers = DeliveryAttempt.objects.filter(number=2).values_list("trigger", flat=True)
    assert list(triggers) == ["replay", "replay"]
    deliver_all()


def day(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def test_backfill_delivers_past_referrals(
    campaign: Campaign, connection: Connection, crm: CRM
) -> None:
    create_referrals(campaign, FIRST, SECOND)
    Referral.objects.filter(external_id=SECOND).update(accepted_at=timezone.now() - timedelta(40))
    link_campaign(campaign, connection=connection, by=SOMEBODY)
    arguments = [
        "--backfill", "--campaign", "cmp_news", "--connection", str(connection.pk),
        "--since", day(-30),
    ]  # fmt: skip

    dry = run_command("replay", *arguments, "--dry-run")
    assert dry == (0, ["1 past referrals would be delivered."])
    assert crm.received() == []

    assert run_command("replay", *arguments) == (0, ["1 delivered", "1 attempts in all"])
    assert run_command("replay", *arguments) == (0, ["0 attempts in all"])
    assert [one.email for one in crm.received()] == [FIRST]
