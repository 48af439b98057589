"""A CRM that responds 429 with Retry-After, on a connection limited to five a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.simulator.store import ReceivedRequest
from tests.faults.conftest import CheckInvariants
from tests.faults.tools.installation import RUN_SIZE, Installation, SeedConnection

_LIMITED = 60
_PER_SECOND = 5


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Yield an installation with a second connection, limited to five a second."""
    limited = SeedConnection("limited", limits={"per_second": _PER_SECOND})
    with Installation(tmp_path, SeedConnection("people"), limited) as installation:
        yield installation


@pytest.mark.faults
def test_throttled_deliveries_are_sent_later_and_use_no_attempt(
    installation: Installation, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=2)
    limited = installation.create_referrals(_LIMITED, "limited", word="throttled")
    installation.create_referrals(RUN_SIZE - _LIMITED)
    seconds = installation.wait_until_finished(240)

    requests = [one for one in installation.crm.received() if "/limited/" in one.path]
    times = [request.seconds for request in requests]
    assert len(times) == 2 * _LIMITED
    peak = max(sum(at <= other < at + 1 for other in times) for at in times)
    found = check_invariants(
        f"429 with Retry-After 2 s for each of {_LIMITED}, at 5/s; most seen in a second: {peak}",
        seconds,
    )
    assert peak <= _PER_SECOND + 1
    assert found.unknown == 0
    rows = installation.query(
        "SELECT d.status, d.attempts_used, count(*) FROM referrals_delivery d"
        " JOIN referrals_referral r ON r.id = d.referral_id"
        f" WHERE r.external_id IN ({', '.join(map(repr, limited))}) GROUP BY 1, 2"
    )
    assert rows == [("delivered", 1, _LIMITED)]
    _check_waits(requests)


def _check_waits(requests: list[ReceivedRequest]) -> None:
    """Check that no person was sent again within two seconds."""
    first: dict[str, float] = {}
    for request in requests:
        before = first.setdefault(request.email, request.seconds)
        assert request.seconds == before or request.seconds >= before + 2
