"""Measurements of how much a noisy neighbour delays the deliveries of other connections.

The times are the defaults and not the short ones, because they are what is measured.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.tools import report
from tests.faults.tools.installation import PRODUCT_TIMES, RUN_SIZE, Installation, SeedConnection
from tests.faults.tools.toxic_proxy import ToxicProxy
from tests.timing import scaled

pytestmark = pytest.mark.faults

_HEALTHY = [f"healthy{number}" for number in range(45)]
_HANGING = [f"hanging{number}" for number in range(5)]
_NEW_HANGING = [f"hanging{number}" for number in range(5, 10)]
"""Connections whose breaker has no measurements yet when their backlog is posted."""
_PER_SECOND = 40
_BACKLOG = 200_000


def post_steadily(installation: Installation, campaigns: Sequence[str], word: str = "jo") -> None:
    """Post `_PER_SECOND` referrals a second to the campaigns in turn."""
    began = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        for number in range(RUN_SIZE):
            time.sleep(max(0.0, began + number / _PER_SECOND - time.monotonic()))
            campaign = campaigns[number % len(campaigns)]
            hangs = campaign.startswith("hanging")
            threads.submit(installation.create_referrals, 1, campaign, "hang" if hangs else word)


def p95_milliseconds(installation: Installation, since: int) -> float:
    """Return the 95th percentile of the time from acceptance to sending on healthy connections.

    The first `since` requests are left out.
    """
    accepted: dict[str, float] = {}
    for referral, value in installation.query("SELECT id, accepted_at FROM referrals_referral"):
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        accepted[str(uuid.UUID(str(referral)))] = at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    healthy = [request for request in installation.crm.received() if "/healthy" in request.path]
    waits = [
        request.seconds - accepted[request.headers["Idempotency-Key"].rpartition("-")[0]]
        for request in healthy[since:]
    ]
    return sorted(waits)[int(0.95 * len(waits))] * 1000


def count_healthy(installation: Installation) -> int:
    return sum("/healthy" in request.path for request in installation.crm.received())


def measure(installation: Installation, campaigns: Sequence[str]) -> float:
    since = count_healthy(installation)
    post_steadily(installation, campaigns)
    expected = since + sum(campaigns[n % len(campaigns)] in _HEALTHY for n in range(RUN_SIZE))
    installation.wait_until(lambda: count_healthy(installation) >= expected)
    return p95_milliseconds(installation, since)


def add_change(name: str, before: float, after: float) -> None:
    change = 100 * (after / before - 1)
    value = f"{before:.0f} ms → {after:.0f} ms ({change:+.0f} %)"
    print(f"{name}: {value}")
    report.add(report.Figure(name=name, value=value))


def test_five_of_fifty_connections_hang(tmp_path: Path) -> None:
    connections = [SeedConnection(name) for name in [*_HEALTHY, *_HANGING, *_NEW_HANGING]]
    with Installation(tmp_path, *connections, **PRODUCT_TIMES) as installation:
        workers = installation.start_all(workers=2)
        before = measure(installation, _HEALTHY)
        after = measure(installation, [*_HEALTHY, *_HANGING])
        add_change("p95 from acceptance to sending; 5 of 50 connections hang", before, after)

        for name in _NEW_HANGING:
            installation.create_referrals(500, name, word="hang")
        after = measure(installation, [*_HEALTHY, *_NEW_HANGING])
        add_change("the same, with 500 posted at once for each of them", before, after)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(scaled(60))
        installation.invariant_report().raise_if_violated()


def test_two_hundred_thousand_wait_for_a_dead_connection(tmp_path: Path) -> None:
    with ToxicProxy() as dead:
        dead.set_toxic("refuse")
        connections = [
            *(SeedConnection(name) for name in _HEALTHY),
            SeedConnection("dead", crm=dead.url),
        ]
        with Installation(tmp_path, *connections, **PRODUCT_TIMES) as installation:
            installation.start_all(workers=2)
            before = measure(installation, _HEALTHY)
            installation.python("-m", "tests.faults.tools.backlog", "dead", str(_BACKLOG))
            after = measure(installation, _HEALTHY)
            add_change("p95; 200,000 deliveries wait for a dead connection", before, after)
            assert installation.pending_count() >= _BACKLOG
