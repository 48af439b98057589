"""Tests of `manage.py tick`, `worker` and `deliver`."""

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
from tests.referrals.factories import create_referrals, logged_attempts
from tests.timing import WAIT_SECONDS, scaled, wait_until

STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM]


def environment() -> Mapping[str, str]:
    """Return the environment of a process that uses the test's own database."""
    name = str(database.settings_dict["NAME"])
    server = os.environ.get("DATABASE_URL", "").rpartition("/")[0]
    url = f"{server}/{name}" if server else f"sqlite:///{name}"
    return {**os.environ, "DATABASE_URL": url, "REDIS_URL": configured.REDIS_URL}


@contextmanager
def run_until_stopped(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command until it is stopped; print its output, which pytest shows of a failed test."""
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


def stop_process(process: subprocess.Popen[str], stop: int) -> tuple[int, str, str]:
    """Send the signal, wait for the end, and return exit code, output and error output."""
    began_at = time.monotonic()
    process.send_signal(stop)
    out, err = process.communicate(timeout=WAIT_SECONDS)
    assert time.monotonic() - began_at < scaled(10)
    return process.returncode, out, err


@pytest.mark.parametrize("stop", STOP_SIGNALS)
def test_the_tick_wakes_workers_and_ends_at_a_signal(stop: int) -> None:
    with run_until_stopped("tick") as process:
        wait_until(lambda: job_queue.waiting_count() == 1)
        assert stop_process(process, stop) == (0, "", "")


@pytest.mark.parametrize("stop", STOP_SIGNALS)
def test_the_worker_delivers_and_ends_at_a_signal(
    transactional_db: None, crm: CRM, campaign: Campaign, link: Link, stop: int
) -> None:
    create_referrals(campaign, "jo@example.com")
    with run_until_stopped("worker") as process:
        wait_until(lambda: Delivery.objects.filter(status="delivered").exists())
        assert stop_process(process, stop) == (0, "", "")
    assert (crm.people(), job_queue.waiting_count()) == (1, 0)


@pytest.mark.parametrize("stop", STOP_SIGNALS)
def test_deliver_runs_in_the_foreground_and_ends_at_a_signal(
    transactional_db: None, crm: CRM, campaign: Campaign, link: Link, stop: int
) -> None:
    with run_until_stopped("deliver") as process:
        create_referrals(campaign, "jo@example.com")
        wait_until(lambda: Delivery.objects.filter(status="delivered").exists())
        assert stop_process(process, stop) == (0, "1 delivered\nIn all: 1 delivered.\n", "")
    assert crm.people() == 1


def deliver_once(capsys: pytest.CaptureFixture[str]) -> str:
    before = {name: signal.getsignal(name) for name in STOP_SIGNALS}
    try:
        call_command("deliver", "--once")
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    return capsys.readouterr().out


@pytest.mark.usefixtures("unlimited_slice")
def test_deliver_once_delivers_what_is_due_and_ends(
    crm: CRM, campaign: Campaign, link: Link, capsys: pytest.CaptureFixture[str]
) -> None:
    create_referrals(
        campaign, "jo@example.com", "al@example.com", "exists@example.com", "error@example.com"
    )

    progress, total = deliver_once(capsys).splitlines()

    assert total == f"In all: {progress}."
    assert sorted(progress.split(", ")) == ["1 duplicate", "1 unavailable", "2 delivered"]
    assert sorted(outcome for _, outcome, _ in logged_attempts()) == [
        "delivered", "delivered", "duplicate", "unavailable",
    ]  # fmt: skip
    assert len(crm.received()) == 4


@pytest.mark.django_db(transaction=True)
def test_deliver_once_continues_while_something_is_due(
    crm: CRM, campaign: Campaign, link: Link, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.DELIVERY_SLICE_SECONDS = 0.001
    settings.DELIVERY_THREADS = 2
    create_referrals(campaign, *(f"jo{number}@example.com" for number in range(7)))

    assert deliver_once(capsys).endswith("In all: 7 delivered.\n")

    assert (crm.people(), len(crm.received())) == (7, 7)


def test_deliver_once_with_nothing_due_says_so(
    unlimited_slice: None, capsys: pytest.CaptureFixture[str]
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
