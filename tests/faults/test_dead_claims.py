"""The claims of a killed worker do not close its connection to the others for a whole lease.

The times are the product's own: a lease as short as in the other tests would hide it.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path

import pytest

from connections.simulator import CRM
from tests.faults import report
from tests.faults.conftest import CheckInvariants
from tests.faults.installation import PRODUCT_TIMES, Installation
from tests.timing import scaled

pytestmark = pytest.mark.faults

_PER_SECOND = 30
_CRM_SECONDS = 0.3
_LONGEST_SILENCE = float(PRODUCT_TIMES["DELIVERY_TOTAL_TIMEOUT"]) + scaled(15)
"""Until the claims of the dead worker count as lost, and what a busy machine takes besides."""


@contextmanager
def trickle(installation: Installation) -> Iterator[None]:
    """Post one after the other, so many a second, for as long as the block lasts."""
    is_over = threading.Event()

    def create_referrals() -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(4) as threads:
            for number in count():
                if is_over.wait(max(0.0, began + number / _PER_SECOND - time.monotonic())):
                    return
                threads.submit(installation.create_referrals, 1, word="slow")

    thread = threading.Thread(target=create_referrals)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def lost(installation: Installation) -> int:
    """How many attempts are known to be lost."""
    [[found]] = installation.query(
        "SELECT count(*) FROM referrals_deliveryattempt WHERE error_code = 'lease_lost'"
    )
    return int(found)


def longest_silence(installation: Installation) -> float:
    """Seconds between two requests to the CRM, where they were furthest apart."""
    moments = [one.seconds for one in installation.crm.received()]
    return max(later - earlier for earlier, later in pairwise(moments))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, **PRODUCT_TIMES)
    made.crm = CRM(slow_seconds=_CRM_SECONDS)
    with made:
        yield made


def test_one_of_two_workers_is_killed_with_many_in_flight(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all()
    victim = installation.start_faulty_worker("many_in_flight", FAULT_AFTER="50")
    with trickle(installation):
        assert victim.wait(scaled(60)) == -signal.SIGKILL
        # Until their leases have ended, so that it is never silent for want of referrals.
        installation.until(lambda: lost(installation) > 0, 240, every=0.5)
    seconds = installation.wait_until_finished()

    silence = longest_silence(installation)
    name = "longest silence at a CRM of 300 ms when one of two workers is killed"
    report.keep(report.Figure(name=name, value=f"{silence:.1f} s"))
    found = check_invariants(
        "one of two workers is killed with five or more in hand (a lease of 90 s)", seconds
    )
    assert found.unknown >= 5
    assert found.statuses.keys() <= {"delivered", "duplicate"}
    assert installation.crm.people() == found.deliveries == len(set(installation.accepted))
    assert silence < _LONGEST_SILENCE
