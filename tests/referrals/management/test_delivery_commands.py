"""The processes of an installation: what they do, and how soon they end when told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection as database

from config.queue import job_queue
from connections.models import Campaign, Link
from connections.simulator import CRM
from referrals.models import Delivery
from tests.referrals.factories import create_referrals, log, until

STOPS = [signal.SIGINT, signal.SIGTERM]
_MAX_SECONDS = 30.0


def environment() -> Mapping[str, str]:
    """The environment of a process that works with the test's own database."""
    name = str(database.settings_dict["NAME"])
    server = os.environ.get("DATABASE_URL", "").rpartition("/")[0]
    url = f"{server}/{name}" if server else f"sqlite:///{name}"
    return {**os.environ, "DATABASE_URL": url, "REDIS_URL": configured.REDIS_URL}


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until it is stopped; where a test fails, what it printed is shown."""
    pipe = subprocess.PIPE
    command = [sys.executable, "manage.py", *arguments]
    with subprocess.Popen(
        command, cwd=configured.BASE_DIR, env=environment(), stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            print(*process.communicate())


def stopped(process: subprocess.Popen[str], stop: int) -> tuple[int, str, str]:
    """Its exit code and what it printed, once it has ended."""
    began_at = time.monotonic()
    process.send_signal(stop)
    out, err = process.communicate(timeout=_MAX_SECONDS)
    assert time.monotonic() - began_at < 10
    return process.returncode, out, err


@pytest.mark.parametrize("stop", STOPS)
def test_the_tick_rings_and_ends_when_told_to(stop: int) -> None:
    with running("tick") as process:
        until(lambda: job_queue.waiting_jobs() == 1)
        assert stopped(process, stop) == (0, "", "")


@pytest.mark.parametrize("stop", STOPS)
def test_the_worker_works_and_ends_when_told_to(
    transactional_db: None, crm: CRM, campaign: Campaign, link: Link, stop: int
) -> None:
    create_referrals(campaign, "jo@example.com")
    with running("worker") as process:
        until(lambda: Delivery.objects.filter(status="delivered").exists())
        assert stopped(process, stop) == (0, "", "")
    assert (crm.people(), job_queue.waiting_jobs()) == (1, 0)


@pytest.mark.parametrize("stop", STOPS)
def test_the_pump_in_the_foreground_goes_on_until_told_to_end(
    transactional_db: None, crm: CRM, campaign: Campaign, link: Link, stop: int
) -> None:
    with running("deliver") as process:
        create_referrals(campaign, "jo@example.com")
        until(lambda: Delivery.objects.filter(status="delivered").exists())
        assert stopped(process, stop) == (0, "1 delivered\nIn all: 1 delivered.\n", "")
    assert crm.people() == 1


def deliver_once(capsys: pytest.CaptureFixture[str]) -> str:
    before = {name: signal.getsignal(name) for name in STOPS}
    try:
        call_command("deliver", "--once")
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    return capsys.readouterr().out


@pytest.mark.usefixtures("patient")
def test_deliver_once_delivers_what_is_due_and_ends(
    crm: CRM, campaign: Campaign, link: Link, capsys: pytest.CaptureFixture[str]
) -> None:
    create_referrals(
        campaign, "jo@example.com", "al@example.com", "exists@example.com", "error@example.com"
    )

    progress, total = deliver_once(capsys).splitlines()

    assert total == f"In all: {progress}."
    assert sorted(progress.split(", ")) == ["1 duplicate", "1 unavailable", "2 delivered"]
    assert sorted(outcome for _, outcome, _ in log()) == [
        "delivered", "delivered", "duplicate", "unavailable",
    ]  # fmt: skip
    assert len(crm.received()) == 4


@pytest.mark.django_db(transaction=True)
def test_deliver_once_goes_on_while_something_is_due(
    crm: CRM, campaign: Campaign, link: Link, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.DELIVERY_SLICE_SECONDS = 0.001
    settings.DELIVERY_THREADS = 2
    create_referrals(campaign, *(f"jo{number}@example.com" for number in range(7)))

    assert deliver_once(capsys).endswith("In all: 7 delivered.\n")

    assert (crm.people(), len(crm.received())) == (7, 7)


def test_deliver_once_with_nothing_due_says_so(
    patient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deliver_once(capsys) == "In all: nothing was due.\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("deliver", "--twice"), "Error: unrecognized arguments: --twice"),
        (("tick", "fast"), "Error: unrecognized arguments: fast"),
        (("worker", "--queue"), "Error: unrecognized arguments: --queue"),
        (("demo", "--crm"), "Error: argument --crm: expected one argument"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command(*arguments)

    assert str(refusal.value) == complaint
