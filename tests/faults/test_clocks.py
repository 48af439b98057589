"""The clock of a worker is five minutes ahead, or behind."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Prove
from tests.faults.installation import RUN, Installation

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("minutes", [5, -5])
def test_the_clock_of_one_of_two_workers_is_wrong(
    installation: Installation, prove: Prove, minutes: int
) -> None:
    installation.start_all()
    installation.start_faulty_worker("clock", CLOCK_OFFSET=str(60 * minutes))
    installation.hand_in(RUN // 2)
    installation.hand_in(RUN // 2, word="slow")
    word = "ahead" if minutes > 0 else "behind"
    prove(f"the clock of one of two workers is 5 min {word}", installation.settle(400))
