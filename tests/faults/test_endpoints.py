"""The endpoint refuses, hangs, drips, resets, responds late or flaps, and recovers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults.conftest import CheckInvariants
from tests.faults.tools import report
from tests.faults.tools.installation import RUN_SIZE, Installation, SeedConnection
from tests.faults.tools.toxic_proxy import Toxic, ToxicProxy

pytestmark = pytest.mark.faults

_THREADS = 32
_RECOVERY_SECONDS = 240


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[ToxicProxy]:
    """Yield a proxy with a latency, so that several requests are in flight at once."""
    with ToxicProxy(latency=0.05) as proxy:
        yield proxy


@pytest.fixture
def installation(tmp_path: Path, proxy: ToxicProxy) -> Iterator[Installation]:
    """Yield an installation with the proxy between the product and the CRM."""
    with Installation(tmp_path, SeedConnection("people", crm=proxy.url)) as installation:
        proxy.forward_to(installation.crm.port)
        yield installation


@pytest.mark.parametrize("toxic", ["refuse", "hang", "drip", "reset", "late"])
def test_an_endpoint_fails_for_some_seconds_and_recovers(
    installation: Installation, proxy: ToxicProxy, check_invariants: CheckInvariants, toxic: Toxic
) -> None:
    installation.start_all(workers=2)
    for _ in range(4):
        installation.create_referrals(RUN_SIZE // 4)
    installation.wait_until_delivered(RUN_SIZE // 10)
    proxy.set_toxic(toxic)
    time.sleep(8)
    proxy.set_toxic("open")
    opened_at = time.time()

    seconds = installation.wait_until_finished(_RECOVERY_SECONDS)

    found = check_invariants(f"the endpoint fails for 8 s: {toxic}", seconds)
    # Requests in flight when it began to refuse were cut; they may have arrived, too.
    assert found.unknown > 0
    assert found.statuses.keys() <= {"delivered", "duplicate"}
    _check_ramp(proxy, installation, opened_at)
    _check_order(installation)


def test_an_endpoint_flaps(
    installation: Installation, proxy: ToxicProxy, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=2)
    installation.create_referrals(RUN_SIZE)
    installation.wait_until_delivered(RUN_SIZE // 10)
    for _ in range(10):
        for toxic in ("refuse", "open"):
            proxy.set_toxic(toxic)
            time.sleep(0.5)
    check_invariants(
        "the endpoint flaps, twice a second, for 10 s",
        installation.wait_until_finished(_RECOVERY_SECONDS),
    )


def test_an_unknown_outcome_is_held_for_a_user(tmp_path: Path, proxy: ToxicProxy) -> None:
    on_hold = SeedConnection("people", crm=proxy.url, on_unknown="hold")
    with Installation(tmp_path, on_hold) as installation:
        proxy.forward_to(installation.crm.port)
        [worker] = installation.start_all()
        installation.create_referrals(RUN_SIZE)
        installation.wait_until_delivered(RUN_SIZE // 10)
        proxy.set_toxic("late")
        time.sleep(4)
        proxy.set_toxic("open")
        worker.kill()
        installation.start("worker")
        seconds = installation.wait_until_finished(_RECOVERY_SECONDS)
        found = installation.invariant_report()
        report.add(
            report.build_row("late answers and a killed worker; unknown is held", found, seconds)
        )
        found.raise_if_violated()
        assert found.statuses["unknown"] == found.unknown > 0
        assert found.statuses["duplicate"] == 0, "a person was sent twice"
        assert max(installation.crm.duplicates().values(), default=0) == 0


def _check_ramp(proxy: ToxicProxy, installation: Installation, opened_at: float) -> None:
    """Check that sending begins one by one and at most doubles every two seconds."""
    times = [request.seconds for request in installation.crm.received()]
    first = int(min(time_ for time_ in times if time_ > opened_at))
    peaks = [proxy.max_in_flight.get(first + second, 0) for second in range(4)]
    assert peaks[0] <= 2, f"too many at once: {peaks}"
    assert peaks[1] <= 4, f"too many at once: {peaks}"


def _check_order(installation: Installation) -> None:
    """Check that the batches were sent in the order in which they were accepted."""
    first_seen: dict[int, int] = {}
    for position, request in enumerate(installation.crm.received()):
        first_seen.setdefault(int(request.email.split("@")[0].rpartition(".")[2]), position)
    size = RUN_SIZE // 4
    batches = [
        [first_seen[number] for number in range(start + 1, start + size + 1)]
        for start in range(0, RUN_SIZE, size)
    ]
    # Medians, since failed ones are retried later and two workers run in parallel.
    medians = [sorted(positions)[size // 2] for positions in batches]
    assert all(earlier < later for earlier, later in pairwise(medians))
