"""Workers and the tick are killed, all of them or at a chosen step, or get SIGTERM."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.conftest import CheckInvariants
from tests.faults.tools.installation import BOTH_TIMES, RUN_SIZE, Installation
from tests.stack import kill
from tests.timing import WAIT_SECONDS, scaled

STEPS = ("after_claim", "mid_send", "after_response", "mid_record", "after_record")

_STOP_SECONDS = 15.0
"""How long a process takes to exit on a busy machine, besides the longest send."""


@pytest.mark.parametrize("installation", BOTH_TIMES, indirect=True)
def test_workers_are_killed_at_every_step(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=0)
    victims = [installation.start_faulty_worker(step, FAULT_AFTER="150") for step in STEPS]
    installation.create_referrals(RUN_SIZE)
    for victim in victims:
        assert victim.wait(scaled(60)) == -signal.SIGKILL
    installation.start("worker")
    found = check_invariants(
        f"five workers are killed, one at each step (a lease of {installation.lease} s)",
        installation.wait_until_finished(240),
    )
    assert found.unknown > 0
    assert found.statuses.keys() <= {"delivered", "duplicate"}


@pytest.mark.faults
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_is_killed(
    installation: Installation, check_invariants: CheckInvariants, step: str
) -> None:
    installation.start_all(workers=0)
    victim = installation.start_faulty_worker(step, FAULT_AFTER="300")
    installation.create_referrals(RUN_SIZE)
    assert victim.wait(scaled(60)) == -signal.SIGKILL
    installation.start("worker")
    found = check_invariants(
        f"a worker is killed: {step.replace('_', ' ')}", installation.wait_until_finished()
    )
    assert found.statuses.keys() <= {"delivered", "duplicate"}


@pytest.mark.faults
def test_all_workers_are_killed(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    workers = installation.start_all(workers=3)
    installation.create_referrals(RUN_SIZE)
    installation.wait_until_delivered(300)
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
    for worker in workers:
        worker.wait(WAIT_SECONDS)
    assert installation.pending_count() > 0
    installation.start("worker")
    check_invariants("all three workers are killed", installation.wait_until_finished())


@pytest.mark.faults
def test_the_tick_is_killed(installation: Installation, check_invariants: CheckInvariants) -> None:
    installation.start("worker")
    installation.start_web()
    tick = installation.start("tick")
    # Half of them get a Retry-After, so that they become due when no job is queued for them.
    installation.create_referrals(RUN_SIZE // 2)
    installation.create_referrals(RUN_SIZE // 2, word="throttled")
    installation.wait_until_delivered(100)
    kill(tick)
    time.sleep(3)
    installation.start("tick")
    check_invariants("the tick is killed", installation.wait_until_finished())


@pytest.mark.parametrize("installation", BOTH_TIMES, indirect=True)
def test_workers_are_stopped(installation: Installation, check_invariants: CheckInvariants) -> None:
    workers = installation.start_all(workers=2)
    installation.create_referrals(300, word="slow")
    installation.create_referrals(RUN_SIZE - 300)
    installation.wait_until_delivered(200)
    began = time.monotonic()
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    codes = [worker.wait(scaled(60)) for worker in workers]
    seconds = time.monotonic() - began
    assert codes == [0, 0]
    assert seconds < float(installation.total_timeout) + scaled(_STOP_SECONDS)
    assert installation.query(
        "SELECT count(*) FROM referrals_delivery WHERE claimed_at IS NOT NULL"
    ) == [(0,)]
    assert installation.pending_count() > 0

    installation.start("worker")
    installation.start("worker")
    found = check_invariants(
        f"two workers are stopped (a send may take {installation.total_timeout} s;"
        f" they took {seconds:.1f} s)",
        installation.wait_until_finished(),
    )
    assert found.unknown == 0
    assert found.requests == RUN_SIZE


@pytest.mark.faults
def test_a_worker_is_stopped_while_valkey_is_unreachable(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    [worker] = installation.start_all()
    installation.create_referrals(300, word="slow")
    installation.create_referrals(RUN_SIZE - 300)
    installation.wait_until_delivered(300)
    installation.valkey.kill()
    worker.send_signal(signal.SIGTERM)
    worker.wait(scaled(60))
    installation.valkey.start()
    installation.start("worker")
    found = check_invariants(
        "a worker is stopped while Valkey is unreachable", installation.wait_until_finished()
    )
    assert found.unknown == 0
