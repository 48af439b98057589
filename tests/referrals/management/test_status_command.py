"""Tests of `manage.py status`."""

from __future__ import annotations

import json

import pytest

from connections.models import Campaign, Link
from referrals.enqueue import wake_workers
from tests.referrals.factories import (
    create_referrals,
)
from tests.referrals.management.helpers import FIRST, SECOND, run_command

pytestmark = pytest.mark.usefixtures("untouched_signals")


def test_status_prints_what_waits_and_the_heartbeats(
    link: Link, campaign: Campaign, fresh_heartbeats: None
) -> None:
    create_referrals(campaign, FIRST, SECOND)
    wake_workers()
    code, output = run_command("status")
    assert code == 0
    assert output[-1] == "healthy"
    found = [line.split("  ")[0] for line in output[:-1]]
    assert found == [
        "jobs waiting",
        "deliveries waiting",
        "due now",
        "oldest due",
        "in flight",
        "connections paused",
        "connections held",
        "breakers open",
        "worker last heard of",
        "tick last heard of",
    ]
    numbers = {line.rsplit(" ", 1)[0].strip(): line.rsplit(" ", 1)[1] for line in output[:3]}
    assert numbers == {"jobs waiting": "2", "deliveries waiting": "2", "due now": "2"}


def test_status_exits_1_if_there_is_a_problem(db: None) -> None:
    code, output = run_command("status")
    assert code == 1
    assert output[-2:] == [
        "No worker was heard of for 60 seconds: start manage.py worker.",
        "No tick was heard of for 60 seconds: start manage.py tick.",
    ]


def test_status_prints_json(link: Link, campaign: Campaign, fresh_heartbeats: None) -> None:
    create_referrals(campaign, FIRST)
    wake_workers()
    code, output = run_command("status", "--json")
    found = json.loads("".join(output))
    assert code == 0
    assert (found["healthy"], found["problems"]) == (True, [])
    assert (found["deliveries_waiting"], found["due"], found["jobs_waiting"]) == (1, 1, 2)


def test_status_as_json_exits_1_if_there_is_a_problem(db: None) -> None:
    code, output = run_command("status", "--json")
    found = json.loads("".join(output))
    assert (code, found["healthy"], len(found["problems"])) == (1, False, 2)
    assert found["worker_heartbeat_at"] is None
