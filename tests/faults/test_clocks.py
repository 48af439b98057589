"""The clock of a worker is five minutes ahead, or behind."""

from __future__ import annotations

import pytest

from tests.faults.conftest import CheckInvariants
from tests.faults.tools.installation import RUN_SIZE, Installation

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("minutes", [5, -5])
def test_the_clock_of_one_of_two_workers_is_wrong(
    installation: Installation, check_invariants: CheckInvariants, minutes: int
) -> None:
    installation.start_all()
    installation.start_faulty_worker("clock", CLOCK_OFFSET=str(60 * minutes))
    installation.create_referrals(RUN_SIZE // 2)
    installation.create_referrals(RUN_SIZE // 2, word="slow")
    direction = "ahead" if minutes > 0 else "behind"
    check_invariants(
        f"the clock of one of two workers is 5 min {direction}",
        installation.wait_until_finished(400),
    )
