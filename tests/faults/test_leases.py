"""Two workers and one delivery: a lease ends, and the late result does not overwrite."""

from __future__ import annotations

import signal

from tests.faults.conftest import Prove
from tests.faults.installation import RUN, Installation


def test_a_worker_freezes_and_comes_back_after_its_lease(
    installation: Installation, prove: Prove
) -> None:
    [frozen] = installation.start_all()
    installation.hand_in(200, word="slow")
    installation.hand_in(RUN - 200)
    installation.until(installation.delivered(100))
    frozen.send_signal(signal.SIGSTOP)
    in_hand = installation.query(
        "SELECT count(*) FROM referrals_delivery WHERE claimed_at IS NOT NULL"
    )[0][0]
    assert in_hand > 0

    installation.start("worker")
    seconds = installation.settle()
    before = installation.query("SELECT id, status, attempt_number FROM referrals_delivery")
    log = installation.query("SELECT id, number, outcome FROM referrals_deliveryattempt")

    frozen.send_signal(signal.SIGCONT)
    frozen.send_signal(signal.SIGTERM)
    assert frozen.wait(60) == 0

    assert installation.query("SELECT id, status, attempt_number FROM referrals_delivery") == before
    assert installation.query("SELECT id, number, outcome FROM referrals_deliveryattempt") == log
    found = prove("a worker freezes until its leases have ended", seconds)
    assert found.unknown == in_hand
