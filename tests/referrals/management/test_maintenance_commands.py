"""`replay`, `reread` and `status`: what they do, what they print, and how they exit."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, load_command_class
from django.utils import timezone

from config import shutdown
from config.queue import heartbeats
from config.queue.job_queue import wake_workers
from connections.models import Account, Campaign, Connection, Link, ResponseRule
from connections.operations.links import link_campaign
from connections.operations.states import hold_connection
from connections.simulator import CRM
from referrals.delivery.pump import deliver_due
from referrals.management.commands import replay as command
from referrals.models import Delivery, DeliveryAttempt, Referral
from tests.referrals.factories import create_referrals, deliver, deliver_all, log

ONE, TWO, THREE = "a@example.com", "b@example.com", "odd@example.com"


def run(name: str, *arguments: str) -> tuple[int, list[str]]:
    """A command as the shell starts it: its exit code, and the lines that it said."""
    made: Any = load_command_class("referrals", name)
    made._called_from_command_line = True
    out = StringIO()
    try:
        options = vars(made.create_parser("manage.py", name).parse_args(list(arguments)))
        made.execute(**{**options, "stdout": out, "no_color": True, "skip_checks": True})
    except SystemExit as end:
        return int(end.code or 0), lines(out)
    except CommandError as error:
        return error.returncode, [str(error)]
    return 0, lines(out)


def lines(out: StringIO) -> list[str]:
    return [line.strip() for line in out.getvalue().splitlines()]


def statuses() -> dict[str, str]:
    rows = Delivery.objects.values_list("referral__external_id", "status")
    return {name: str(status) for name, status in rows}


@pytest.fixture(autouse=True)
def untouched_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "on_signals", lambda: None)


@pytest.fixture
def delivered(link: Link, campaign: Campaign, crm: CRM) -> None:
    """Two that the CRM took and one whose answer no rule covers; then the CRM forgets them."""
    create_referrals(campaign, ONE, TWO, THREE)
    deliver()
    crm.forget()


def test_replay_makes_the_attempts_and_sums_up_the_outcomes(delivered: None) -> None:
    assert run("replay", "--outcome", "delivered") == (0, ["2 delivered", "2 attempts in all"])
    assert log(ONE) == [(1, "delivered", 200), (2, "delivered", 200)]
    assert log(THREE) == [(1, "unrecognised", 200)]


def test_replay_exits_1_if_one_was_no_success(delivered: None) -> None:
    code, said = run("replay", "--account", "acme")
    assert (code, said) == (1, ["2 delivered", "1 unrecognised", "3 attempts in all"])


def test_replay_says_that_there_is_nothing_to_do(delivered: None) -> None:
    assert run("replay", "--outcome", "rejected") == (0, ["0 attempts in all"])


def test_a_dry_run_changes_nothing(delivered: None, crm: CRM) -> None:
    before = list(Delivery.objects.order_by("pk").values())
    code, said = run("replay", "--account", "acme", "--dry-run")
    assert (code, said) == (0, ["3 deliveries would be attempted again."])
    assert run("reread", "--account", "acme", "--dry-run") == (
        0,
        ["3 answers would be read again."],
    )
    assert list(Delivery.objects.order_by("pk").values()) == before
    assert crm.received() == []


def day(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--account", "acme"], 4),
        (["--campaign", "cmp_news"], 3),
        (["--outcome", "delivered"], 2),
        (["--outcome", "delivered", "--outcome", "rejected"], 3),
        (["--status-code", "200"], 3),
        (["--status-code", "503"], 0),
        (["--since", day(-1)], 4),
        (["--since", day(1)], 0),
        (["--until", day(1)], 4),
        (["--until", f"{day(-1)}T12:30"], 0),
        (["--account", "acme", "--outcome", "rejected", "--status-code", "400"], 1),
        (["--account", "other"], 0),
    ],
)
def test_all_options_that_are_given_must_hold(
    delivered: None, account: Account, connection: Connection, arguments: list[str], count: int
) -> None:
    Account.objects.create(name="Other", slug="other")
    second = Campaign.objects.create(account=account, name="Second", kind="lead_generation")
    link_campaign(second, connection=connection, by=None)
    create_referrals(second, "no@mail")
    deliver()
    _, said = run("replay", *arguments, "--dry-run")
    assert said == [f"{count} deliveries would be attempted again."]
    _, said = run("replay", *arguments, "--connection", str(connection.pk), "--dry-run")
    assert said == [f"{count} deliveries would be attempted again."]


def test_a_delivery_with_several_such_answers_counts_once(delivered: None) -> None:
    run("replay", "--account", "acme")
    _, said = run("replay", "--status-code", "200", "--dry-run")
    assert said == ["3 deliveries would be attempted again."]


@pytest.mark.parametrize("name", ["replay", "reread"])
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--account", "nobody"],
        ["--campaign", "cmp_none"],
        ["--connection", "0"],
        ["--connection", "999999999"],
        ["--connection", "abc"],
        ["--outcome", "lost"],
        ["--status-code", "ok"],
        ["--since", "yesterday"],
        ["--until", "2026-13-01"],
        ["--account", "acme", "--unknown-option"],
    ],
)
def test_wrong_arguments_exit_2(delivered: None, name: str, arguments: list[str]) -> None:
    before = list(Delivery.objects.order_by("pk").values())
    assert run(name, *arguments)[0] == 2
    assert list(Delivery.objects.order_by("pk").values()) == before


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
    assert run("replay", *arguments)[0] == 2


def test_an_unknown_name_is_answered_by_those_that_there_are(delivered: None) -> None:
    _, [said] = run("replay", "--account", "acne")
    assert said == 'There is no account "acne". There are: acme.'


def test_replay_waits_for_a_rate(delivered: None, crm: CRM) -> None:
    began = time.time()
    code, said = run("replay", "--outcome", "delivered", "--rate", "1")
    assert (code, said) == (0, ["2 delivered", "2 attempts in all"])
    assert crm.received()[1].seconds >= began + 1


def test_replay_does_not_wait_for_a_connection_that_is_held(
    delivered: None, connection: Connection
) -> None:
    hold_connection(connection.pk, reason="Somebody must look.")
    code, said = run("replay", "--outcome", "delivered")
    assert (code, said) == (
        1,
        ["0 attempts in all", "2 not attempted: their connections are paused or held"],
    )
    assert statuses()[ONE] == "pending"


def test_an_interrupted_replay_goes_on_with_the_workers_and_can_be_started_again(
    delivered: None, crm: CRM, monkeypatch: pytest.MonkeyPatch
) -> None:

    def interrupted() -> None:
        shutdown.request()
        deliver_due()

    monkeypatch.setattr(command, "deliver_due", interrupted)
    code, said = run("replay", "--outcome", "delivered", "--rate", "0.5")
    assert (code, said[-1]) == (
        1,
        "Interrupted. What was put back is attempted by the workers.",
    )
    assert statuses() == {ONE: "pending", TWO: "pending", THREE: "unrecognised"}

    monkeypatch.setattr(shutdown, "_requested", False)
    monkeypatch.setattr(command, "deliver_due", deliver_due)
    assert run("replay", "--outcome", "delivered") == (0, ["0 attempts in all"])
    assert run("replay", "--outcome", "pending") == (0, ["2 delivered", "2 attempts in all"])
    assert run("replay", "--account", "acme", "--outcome", "pending")[1] == ["0 attempts in all"]
    assert len(crm.received()) == 2


def test_replay_of_what_keeps_failing_ends_after_one_attempt_each(
    link: Link, campaign: Campaign
) -> None:
    create_referrals(campaign, "error@example.com")
    deliver()
    code, said = run("replay", "--account", "acme")
    assert (code, said) == (1, ["1 unavailable", "1 attempts in all"])
    assert statuses() == {"error@example.com": "pending"}


def test_backfill_delivers_past_referrals(
    campaign: Campaign, connection: Connection, crm: CRM
) -> None:
    create_referrals(campaign, ONE, TWO)
    Referral.objects.filter(external_id=TWO).update(accepted_at=timezone.now() - timedelta(40))
    link_campaign(campaign, connection=connection, by=None)
    arguments = [
        "--backfill", "--campaign", "cmp_news", "--connection", str(connection.pk),
        "--since", day(-30),
    ]  # fmt: skip

    dry = run("replay", *arguments, "--dry-run")
    assert dry == (0, ["1 past referrals would be delivered."])
    assert crm.received() == []

    assert run("replay", *arguments) == (0, ["1 delivered", "1 attempts in all"])
    assert run("replay", *arguments) == (0, ["0 attempts in all"])
    assert [one.email for one in crm.received()] == [ONE]


def test_reread_reads_by_todays_rules_without_sending(
    delivered: None, connection: Connection, crm: CRM
) -> None:
    ResponseRule.objects.create(
        connection=connection, position=9, status="200", outcome="delivered"
    )
    assert run("reread", "--account", "acme") == (0, ["1 are now delivered", "1 changed in all"])
    assert run("reread", "--account", "acme") == (0, ["0 changed in all"])
    assert set(statuses().values()) == {"delivered"}
    assert crm.received() == []


def test_reread_reads_only_what_was_chosen(delivered: None, connection: Connection) -> None:
    ResponseRule.objects.update(outcome="suppressed")
    assert run("reread", "--outcome", "rejected") == (0, ["0 changed in all"])
    said = ["2 are now suppressed", "2 changed in all"]
    assert run("reread", "--outcome", "delivered") == (0, said)
    assert statuses()[THREE] == "unrecognised"


@pytest.fixture
def alive() -> None:
    heartbeats.record_heartbeat(heartbeats.WORKER)
    heartbeats.record_heartbeat(heartbeats.TICK)


def test_status_says_what_waits_and_who_is_alive(
    link: Link, campaign: Campaign, alive: None
) -> None:
    create_referrals(campaign, ONE, TWO)
    wake_workers()
    code, said = run("status")
    assert code == 0
    assert said[-1] == "healthy"
    found = [line.split("  ")[0] for line in said[:-1]]
    assert found == [
        "jobs waiting",
        "deliveries waiting",
        "due now",
        "oldest due",
        "under way",
        "connections paused",
        "connections held",
        "connections resting",
        "worker last heard of",
        "tick last heard of",
    ]
    numbers = {line.rsplit(" ", 1)[0].strip(): line.rsplit(" ", 1)[1] for line in said[:3]}
    assert numbers == {"jobs waiting": "2", "deliveries waiting": "2", "due now": "2"}


def test_status_exits_1_where_something_must_be_mended(db: None) -> None:
    code, said = run("status")
    assert code == 1
    assert said[-2:] == [
        "No worker was heard of for 60 seconds: start manage.py worker.",
        "No tick was heard of for 60 seconds: start manage.py tick.",
    ]


def test_status_as_json(link: Link, campaign: Campaign, alive: None) -> None:
    create_referrals(campaign, ONE)
    wake_workers()
    code, said = run("status", "--json")
    found = json.loads("".join(said))
    assert code == 0
    assert (found["healthy"], found["problems"]) == (True, [])
    assert (found["deliveries_waiting"], found["due"], found["jobs_waiting"]) == (1, 1, 2)


def test_status_as_json_exits_1_too(db: None) -> None:
    code, said = run("status", "--json")
    found = json.loads("".join(said))
    assert (code, found["healthy"], len(found["problems"])) == (1, False, 2)
    assert found["worker_beat"] is None


@pytest.mark.usefixtures("delivered")
def test_what_was_replayed_says_so_in_the_log() -> None:
    run("replay", "--outcome", "delivered")
    causes = DeliveryAttempt.objects.filter(number=2).values_list("trigger", flat=True)
    assert list(causes) == ["replay", "replay"]
    deliver_all()
