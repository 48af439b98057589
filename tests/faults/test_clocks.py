"""The clock of a worker is five minutes ahead, or behind."""

from __future__ import annotations

import pytest

from tests.faults.conftest import CheckInvariants
from tests.faults.installation import RUN, Installation

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("window", [5, -5])
def test_the_clock_of_one_of_two_workers_is_wrong(
    installation: Installation, check_invariants: CheckInvariants, window: int
) -> None:
    installation.start_all()
    installation.start_faulty_worker("clock", CLOCK_OFFSET=str(60 * window))
    installation.create_referrals(RUN // 2)
    installation.create_referrals(RUN // 2, word="slow")
    word = "ahead" if window > 0 else "behind"
    check_invariants(
        f"the clock of one of two workers is 5 min {word}", installation.wait_until_finished(400)
    )
