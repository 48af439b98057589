"""The endpoint refuses, hangs, drips, resets, answers late or flaps, and recovers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults import report
from tests.faults.conftest import CheckInvariants
from tests.faults.installation import RUN, Connected, Installation
from tests.faults.toxic_proxy import Toxic, ToxicProxy

pytestmark = pytest.mark.faults

_THREADS = 32
_RECOVERY_SECONDS = 240


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[ToxicProxy]:
    """A proxy with a latency, so that several requests are in flight at once."""
    with ToxicProxy(latency=0.05) as made:
        yield made


@pytest.fixture
def installation(tmp_path: Path, proxy: ToxicProxy) -> Iterator[Installation]:
    """With a proxy between the product and the CRM."""
    with Installation(tmp_path, Connected("people", crm=proxy.url)) as made:
        proxy.forward_to(made.crm.port)
        yield made


@pytest.mark.parametrize("toxic", ["refuse", "hang", "drip", "reset", "late"])
def test_an_endpoint_fails_for_some_seconds_and_recovers(
    installation: Installation, proxy: ToxicProxy, check_invariants: CheckInvariants, toxic: Toxic
) -> None:
    installation.start_all(workers=2)
    for _ in range(4):
        installation.create_referrals(RUN // 4)
    installation.until(installation.delivered(RUN // 10))
    proxy.set_toxic(toxic)
    time.sleep(8)
    proxy.set_toxic("open")
    opened_at = time.time()

    seconds = installation.wait_until_finished(_RECOVERY_SECONDS)

    found = check_invariants(f"the endpoint fails for 8 s: {toxic}", seconds)
    # What was under way when it began to refuse was cut off: that may have arrived, too.
    assert found.unknown > 0
    assert found.statuses.keys() <= {"delivered", "duplicate"}
    _check_the_ramp(proxy, installation, opened_at)
    _check_the_order(installation)


def test_an_endpoint_flaps(
    installation: Installation, proxy: ToxicProxy, check_invariants: CheckInvariants
) -> None:
    installation.start_all(workers=2)
    installation.create_referrals(RUN)
    installation.until(installation.delivered(RUN // 10))
    for _ in range(10):
        for toxic in ("refuse", "open"):
            proxy.set_toxic(toxic)
            time.sleep(0.5)
    check_invariants(
        "the endpoint flaps, twice a second, for 10 s",
        installation.wait_until_finished(_RECOVERY_SECONDS),
    )


def test_what_may_not_arrive_twice_is_held_for_a_person(tmp_path: Path, proxy: ToxicProxy) -> None:
    careful = Connected("people", crm=proxy.url, on_unknown="hold")
    with Installation(tmp_path, careful) as installation:
        proxy.forward_to(installation.crm.port)
        [worker] = installation.start_all()
        installation.create_referrals(RUN)
        installation.until(installation.delivered(RUN // 10))
        proxy.set_toxic("late")
        time.sleep(4)
        proxy.set_toxic("open")
        worker.kill()
        installation.start("worker")
        seconds = installation.wait_until_finished(_RECOVERY_SECONDS)
        found = installation.tally()
        report.keep(report.row("late answers and a killed worker; unknown is held", found, seconds))
        found.check()
        assert found.statuses["unknown"] == found.unknown > 0
        assert found.statuses["duplicate"] == 0, "nobody heard of anybody twice"
        assert max(installation.crm.duplicates().values(), default=0) == 0


def _check_the_ramp(proxy: ToxicProxy, installation: Installation, opened_at: float) -> None:
    """After the rest one by one, then twice as many every two seconds, never all at once."""
    after = [one.seconds for one in installation.crm.received() if one.seconds > opened_at]
    first = int(min(after))
    most = [proxy.max_in_flight.get(first + second, 0) for second in range(4)]
    assert most[0] <= 2, f"a flood: {most}"
    assert most[1] <= 4, f"a flood: {most}"


def _check_the_order(installation: Installation) -> None:
    """Of those that were never tried before the outage, the older went first, list by list."""
    first_seen: dict[int, int] = {}
    for position, one in enumerate(installation.crm.received()):
        first_seen.setdefault(int(one.email.split("@")[0].rpartition(".")[2]), position)
    size = RUN // 4
    lists = [
        [first_seen[number] for number in range(start + 1, start + size + 1)]
        for start in range(0, RUN, size)
    ]
    # What had failed comes back a little later, and two workers overtake each other.
    medians = [sorted(positions)[size // 2] for positions in lists]
    assert all(earlier < later for earlier, later in pairwise(medians))
