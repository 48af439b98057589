"""Workers and the tick are killed, all of them or at a chosen step; or told to stop."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.conftest import Prove
from tests.faults.installation import RUN, Installation
from tests.stack import kill

STEPS = ("after_claim", "mid_send", "after_answer", "mid_record", "after_record")

PROMISED_SECONDS = 2.0 + 15.0
"""What a send may take at most, and what a process takes to end on a machine that is busy."""


def test_workers_are_killed_at_every_step(installation: Installation, prove: Prove) -> None:
    installation.start_all(workers=0)
    victims = [
        installation.start_faulty_worker(attempts_used, FAULT_AFTER="150")
        for attempts_used in STEPS
    ]
    installation.create_referrals(RUN)
    for victim in victims:
        assert victim.wait(60) == -signal.SIGKILL
    installation.start("worker")
    found = prove("five workers are killed, one at each step", installation.wait_until_finished())
    assert found.unknown > 0
    assert found.statuses.keys() <= {"delivered", "duplicate"}


@pytest.mark.faults
@pytest.mark.parametrize("attempts_used", STEPS)
def test_a_worker_is_killed(installation: Installation, prove: Prove, attempts_used: str) -> None:
    installation.start_all(workers=0)
    victim = installation.start_faulty_worker(attempts_used, FAULT_AFTER="300")
    installation.create_referrals(RUN)
    assert victim.wait(60) == -signal.SIGKILL
    installation.start("worker")
    found = prove(
        f"a worker is killed: {attempts_used.replace('_', ' ')}", installation.wait_until_finished()
    )
    assert found.statuses.keys() <= {"delivered", "duplicate"}


@pytest.mark.faults
def test_all_workers_are_killed(installation: Installation, prove: Prove) -> None:
    workers = installation.start_all(workers=3)
    installation.create_referrals(RUN)
    installation.until(installation.delivered(300))
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
    for worker in workers:
        worker.wait()
    assert installation.waiting() > 0
    installation.start("worker")
    prove("all three workers are killed", installation.wait_until_finished())


@pytest.mark.faults
def test_the_tick_is_killed(installation: Installation, prove: Prove) -> None:
    installation.start("worker")
    installation.start_web()
    tick = installation.start("tick")
    # Half of them are told to come later, so that they fall due when nobody rings for them.
    installation.create_referrals(RUN // 2)
    installation.create_referrals(RUN // 2, word="throttled")
    installation.until(installation.delivered(100))
    kill(tick)
    time.sleep(3)
    installation.start("tick")
    prove("the tick is killed", installation.wait_until_finished())


def test_workers_are_told_to_stop(installation: Installation, prove: Prove) -> None:
    workers = installation.start_all(workers=2)
    installation.create_referrals(300, word="slow")
    installation.create_referrals(RUN - 300)
    installation.until(installation.delivered(200))
    began = time.monotonic()
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    codes = [worker.wait(60) for worker in workers]
    took = time.monotonic() - began
    assert codes == [0, 0]
    assert took < PROMISED_SECONDS
    assert installation.query(
        "SELECT count(*) FROM referrals_delivery WHERE claimed_at IS NOT NULL"
    ) == [(0,)]
    assert installation.waiting() > 0

    installation.start("worker")
    installation.start("worker")
    found = prove(
        f"two workers are told to stop (they took {took:.1f} s)", installation.wait_until_finished()
    )
    assert found.unknown == 0
    assert found.requests == RUN


@pytest.mark.faults
def test_a_worker_is_told_to_stop_while_valkey_is_away(
    installation: Installation, prove: Prove
) -> None:
    [worker] = installation.start_all()
    installation.create_referrals(300, word="slow")
    installation.create_referrals(RUN - 300)
    installation.until(installation.delivered(300))
    installation.valkey.kill()
    worker.send_signal(signal.SIGTERM)
    worker.wait(60)
    installation.valkey.start()
    installation.start("worker")
    found = prove(
        "a worker is told to stop while Valkey is away", installation.wait_until_finished()
    )
    assert found.unknown == 0
