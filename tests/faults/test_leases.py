"""A worker freezes until its leases have ended; its late results overwrite nothing."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from tests.faults.conftest import CheckInvariants
from tests.faults.tools.installation import BOTH_TIMES, IS_POSTGRESQL, RUN_SIZE, Installation
from tests.timing import scaled


@pytest.mark.parametrize("installation", BOTH_TIMES, indirect=True)
def test_a_worker_freezes_and_continues_after_its_lease(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    [frozen] = installation.start_all()
    installation.create_referrals(200, word="slow")
    installation.create_referrals(RUN_SIZE - 200)
    installation.wait_until_delivered(100)
    _freeze(frozen, installation)
    in_flight = installation.query(
        "SELECT count(*) FROM referrals_delivery WHERE claimed_at IS NOT NULL"
    )[0][0]
    assert in_flight > 0

    installation.start("worker")
    seconds = installation.wait_until_finished(240)
    before = installation.query("SELECT id, status, attempt_number FROM referrals_delivery")
    log = installation.query("SELECT id, number, outcome FROM referrals_deliveryattempt")

    frozen.send_signal(signal.SIGCONT)
    frozen.send_signal(signal.SIGTERM)
    assert frozen.wait(scaled(60)) == 0

    assert installation.query("SELECT id, status, attempt_number FROM referrals_delivery") == before
    assert installation.query("SELECT id, number, outcome FROM referrals_deliveryattempt") == log
    found = check_invariants(
        f"a worker freezes until its leases of {installation.lease} s have ended", seconds
    )
    # By their error, since on a busy machine another request may end in its short read timeout.
    lost = installation.query(
        "SELECT count(*) FROM referrals_deliveryattempt"
        " WHERE outcome = 'unknown' AND error_code = 'lease_lost'"
    )[0][0]
    assert lost == in_flight
    assert found.unknown >= lost


def _freeze(worker: subprocess.Popen[bytes], installation: Installation) -> None:
    """Stop the worker while it does not hold SQLite's write lock, which blocks the others."""
    worker.send_signal(signal.SIGSTOP)
    while not IS_POSTGRESQL and _is_locked(installation):
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.01)
        worker.send_signal(signal.SIGSTOP)


def _is_locked(installation: Installation) -> bool:
    with closing(sqlite3.connect(installation.folder / "db.sqlite3", timeout=0.2)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        other.rollback()
        return False
