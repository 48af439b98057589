"""Valkey is killed, restarted, flushed, full, or unreachable for the web alone."""

from __future__ import annotations

import time

import pytest
from redis import Redis

from tests.faults.conftest import CheckInvariants
from tests.faults.tools.installation import RUN_SIZE, Installation


def test_valkey_is_killed_for_some_seconds(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=2)
    installation.create_referrals(RUN_SIZE // 2)
    installation.wait_until_delivered(100)
    installation.valkey.kill()
    installation.create_referrals(RUN_SIZE // 2)
    time.sleep(3)
    installation.valkey.start()
    found = check_invariants("Valkey is killed for 3 s", installation.wait_until_finished())
    assert (found.unknown, found.requests) == (0, RUN_SIZE)


@pytest.mark.faults
def test_valkey_is_restarted_empty(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=2)
    installation.create_referrals(RUN_SIZE)
    for count in (300, 600, 900):
        installation.wait_until_delivered(count)
        installation.valkey.kill()
        installation.valkey.start()
    found = check_invariants(
        "Valkey is restarted empty, three times", installation.wait_until_finished()
    )
    assert (found.unknown, found.requests) == (0, RUN_SIZE)


@pytest.mark.faults
def test_valkey_is_flushed(installation: Installation, check_invariants: CheckInvariants) -> None:
    installation.start_all(workers=2)
    installation.create_referrals(RUN_SIZE)
    with Redis.from_url(installation.valkey.url) as client:
        for count in range(200, RUN_SIZE, 200):
            installation.wait_until_delivered(count)
            client.flushall()
    found = check_invariants("Valkey is flushed, nine times", installation.wait_until_finished())
    assert (found.unknown, found.requests) == (0, RUN_SIZE)


@pytest.mark.faults
def test_valkey_is_out_of_memory(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=2)
    installation.create_referrals(RUN_SIZE // 2)
    installation.wait_until_delivered(100)
    with Redis.from_url(installation.valkey.url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        installation.create_referrals(RUN_SIZE // 2)
        time.sleep(3)
        client.config_set("maxmemory", "0")
    found = check_invariants("Valkey is out of memory for 3 s", installation.wait_until_finished())
    assert (found.unknown, found.requests) == (0, RUN_SIZE)


@pytest.mark.faults
def test_valkey_is_unreachable_for_the_web_alone(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start("tick")
    installation.start("worker")
    nowhere = f"unix://{installation.folder}/nobody-listens.sock"
    web = installation.start_with(
        "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{installation.port}",
        "--threads", "4", "--log-level", "warning", REDIS_URL=nowhere,
    )  # fmt: skip
    installation.wait_until(installation.is_web_up)
    installation.create_referrals(RUN_SIZE)
    found = check_invariants(
        "Valkey is unreachable for the web alone", installation.wait_until_finished()
    )
    assert (found.unknown, found.requests) == (0, RUN_SIZE)
    assert web.poll() is None
