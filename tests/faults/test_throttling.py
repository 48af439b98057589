"""A CRM that asks to come later, on a connection that may be sent five a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import CheckInvariants
from tests.faults.installation import RUN, Connected, Installation

_LIMITED = 60
_PER_SECOND = 5


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """With a second connection that may be sent five a second."""
    limited = Connected("limited", limits={"per_second": _PER_SECOND})
    with Installation(tmp_path, Connected("people"), limited) as made:
        yield made


@pytest.mark.faults
def test_throttled_deliveries_come_later_and_use_up_nothing(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=2)
    limited = installation.create_referrals(_LIMITED, "limited", word="throttled")
    installation.create_referrals(RUN - _LIMITED)
    seconds = installation.wait_until_finished(240)

    seen = [one.seconds for one in installation.crm.received() if "/limited/" in one.path]
    assert len(seen) == 2 * _LIMITED
    most = max(sum(at <= other < at + 1 for other in seen) for at in seen)
    found = check_invariants(
        f"429 with Retry-After 2 s for each of {_LIMITED}, at 5/s; most seen in a second: {most}",
        seconds,
    )
    assert most <= _PER_SECOND + 1
    assert found.unknown == 0
    steps = installation.query(
        "SELECT d.status, d.attempts_used, count(*) FROM referrals_delivery d"
        " JOIN referrals_referral r ON r.id = d.referral_id"
        f" WHERE r.external_id IN ({', '.join(map(repr, limited))}) GROUP BY 1, 2"
    )
    assert steps == [("delivered", 1, _LIMITED)]
    _check_the_waits(installation)


def _check_the_waits(installation: Installation) -> None:
    """Nobody came before the two seconds were over."""
    first: dict[str, float] = {}
    for one in installation.crm.received():
        if "/limited/" in one.path:
            before = first.setdefault(one.email, one.seconds)
            assert one.seconds == before or one.seconds >= before + 2
