"""The claims of a killed worker do not block their connection for a whole lease.

The times are the defaults: a lease as short as in the other tests would hide it.
"""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from connections.simulator import CRM
from tests.faults.conftest import CheckInvariants
from tests.faults.tools import report
from tests.faults.tools.installation import PRODUCT_TIMES, Installation
from tests.timing import scaled

pytestmark = pytest.mark.faults

_PER_SECOND = 30
_CRM_SECONDS = 0.3
_MAX_SILENCE_SECONDS = float(PRODUCT_TIMES["DELIVERY_TOTAL_TIMEOUT"]) + scaled(15)
"""Until the claims of the dead worker count as lost, plus what a busy machine needs."""


@contextmanager
def steady_load(installation: Installation) -> Iterator[None]:
    """Post `_PER_SECOND` referrals a second inside the block."""
    is_over = threading.Event()

    def create_referrals() -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(4) as threads:
            for number in itertools.count():
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


def count_lost_attempts(installation: Installation) -> int:
    """Count the attempts in the log whose lease was lost."""
    [[count]] = installation.query(
        "SELECT count(*) FROM referrals_deliveryattempt WHERE error_code = 'lease_lost'"
    )
    return int(count)


def max_silence_seconds(installation: Installation) -> float:
    """Return the longest time between two requests to the CRM."""
    times = [request.seconds for request in installation.crm.received()]
    return max(later - earlier for earlier, later in itertools.pairwise(times))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path, **PRODUCT_TIMES)
    installation.crm = CRM(slow_seconds=_CRM_SECONDS)
    with installation:
        yield installation


def test_a_worker_is_killed_with_many_in_flight(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all()
    victim = installation.start_faulty_worker("many_in_flight", FAULT_AFTER="50")
    with steady_load(installation):
        assert victim.wait(scaled(60)) == -signal.SIGKILL
        # Referrals are posted until the leases have ended; without them there is silence, too.
        installation.wait_until(lambda: count_lost_attempts(installation) > 0, 240, every=0.5)
    seconds = installation.wait_until_finished()

    silence = max_silence_seconds(installation)
    name = "longest silence at a CRM of 300 ms when one of two workers is killed"
    report.add(report.Figure(name=name, value=f"{silence:.1f} s"))
    found = check_invariants(
        "one of two workers is killed with five or more in flight (a lease of 90 s)", seconds
    )
    assert found.unknown >= 5
    assert found.statuses.keys() <= {"delivered", "duplicate"}
    assert installation.crm.people() == found.deliveries == len(set(installation.accepted))
    assert silence < _MAX_SILENCE_SECONDS
