"""What a bad neighbour costs the others: measured, and told as it is.

The times are the product's own, not the short ones, because they are what is measured.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults import report
from tests.faults.installation import PRODUCT_TIMES, RUN, Connected, Installation
from tests.faults.toxic_proxy import ToxicProxy
from tests.timing import scaled

pytestmark = pytest.mark.faults

_HEALTHY = [f"healthy{number}" for number in range(45)]
_HANGING = [f"hanging{number}" for number in range(5)]
_OTHERS = [f"hanging{number}" for number in range(5, 10)]
"""Of which nothing is known yet when their backlog comes."""
_PER_SECOND = 40
_BACKLOG = 200_000


def trickle(installation: Installation, campaigns: Sequence[str], word: str = "jo") -> None:
    """Hand in one after the other, in turn, so many a second."""
    began = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        for number in range(RUN):
            time.sleep(max(0.0, began + number / _PER_SECOND - time.monotonic()))
            campaign = campaigns[number % len(campaigns)]
            bad = campaign.startswith("hanging")
            threads.submit(installation.create_referrals, 1, campaign, "hang" if bad else word)


def p95(installation: Installation, since: int) -> float:
    """Milliseconds from acceptance to sending of the healthy ones after the first so many, of
    whom 95 % were faster."""
    accepted: dict[str, float] = {}
    for referral, moment in installation.query("SELECT id, accepted_at FROM referrals_referral"):
        at = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
        accepted[str(uuid.UUID(str(referral)))] = at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    healthy = [one for one in installation.crm.received() if "/healthy" in one.path]
    waits = [
        one.seconds - accepted[one.headers["Idempotency-Key"].rpartition("-")[0]]
        for one in healthy[since:]
    ]
    return sorted(waits)[int(0.95 * len(waits))] * 1000


def healthy_count(installation: Installation) -> int:
    return sum("/healthy" in one.path for one in installation.crm.received())


def measure(installation: Installation, campaigns: Sequence[str]) -> float:
    since = healthy_count(installation)
    trickle(installation, campaigns)
    expected = since + sum(campaigns[n % len(campaigns)] in _HEALTHY for n in range(RUN))
    installation.until(lambda: healthy_count(installation) >= expected)
    return p95(installation, since)


def told(name: str, before: float, after: float) -> None:
    change = 100 * (after / before - 1)
    value = f"{before:.0f} ms → {after:.0f} ms ({change:+.0f} %)"
    print(f"{name}: {value}")
    report.keep(report.Figure(name=name, value=value))


def test_five_of_fifty_connections_hang(tmp_path: Path) -> None:
    wanted = [Connected(name) for name in [*_HEALTHY, *_HANGING, *_OTHERS]]
    with Installation(tmp_path, *wanted, **PRODUCT_TIMES) as installation:
        workers = installation.start_all(workers=2)
        before = measure(installation, _HEALTHY)
        after = measure(installation, [*_HEALTHY, *_HANGING])
        told("p95 from acceptance to sending; 5 of 50 connections hang", before, after)

        for name in _OTHERS:
            installation.create_referrals(500, name, word="hang")
        after = measure(installation, [*_HEALTHY, *_OTHERS])
        told("the same, with 500 handed in at once for each of them", before, after)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(scaled(60))
        installation.tally().check()


def test_two_hundred_thousand_wait_for_a_dead_connection(tmp_path: Path) -> None:
    with ToxicProxy() as dead:
        dead.set_toxic("refuse")
        wanted = [*(Connected(name) for name in _HEALTHY), Connected("dead", crm=dead.url)]
        with Installation(tmp_path, *wanted, **PRODUCT_TIMES) as installation:
            installation.start_all(workers=2)
            before = measure(installation, _HEALTHY)
            installation.python("-m", "tests.faults.backlog", "dead", str(_BACKLOG))
            after = measure(installation, _HEALTHY)
            told("p95; 200,000 deliveries wait for a dead connection", before, after)
            assert installation.waiting() >= _BACKLOG
