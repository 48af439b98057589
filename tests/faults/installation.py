"""An installation with short times, whose workers can be made to fail."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from connections.simulator import CRM
from tests.faults.invariants import Tally, tally
from tests.stack import ROOT, Stack
from tests.timing import scaled

IS_POSTGRESQL = bool(os.environ.get("DATABASE_URL"))
RUN = 2_000
"""Deliveries in each run."""

_LIST = 500
SHORT_TIMES = {
    "DELIVERY_TOTAL_TIMEOUT": "2",
    "DELIVERY_READ_TIMEOUT": "1.5",
    "DELIVERY_CONNECT_TIMEOUT": "1",
    "DELIVERY_SLICE_SECONDS": "1",
    "DELIVERY_JOB_TIMEOUT": "4",
    "DELIVERY_LEASE_SECONDS": "6",
    "TICK_SECONDS": "1",
    "LOG_LEVEL": "ERROR",
}
PRODUCT_TIMES = {
    "DELIVERY_TOTAL_TIMEOUT": "30",
    "DELIVERY_READ_TIMEOUT": "15",
    "DELIVERY_CONNECT_TIMEOUT": "5",
    "DELIVERY_SLICE_SECONDS": "5",
    "DELIVERY_JOB_TIMEOUT": "60",
    "DELIVERY_LEASE_SECONDS": "90",
    "TICK_SECONDS": "2",
}
"""The defaults of config/settings.py, for tests of the times themselves."""

BOTH_TIMES = [
    pytest.param(SHORT_TIMES, id="short"),
    pytest.param(PRODUCT_TIMES, id="product", marks=pytest.mark.faults),
]
"""For tests that run with short times, and with the defaults in the longer half."""

QUICK_SCHEDULE = [0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]


@dataclass(frozen=True)
class Connected:
    """A connection with a campaign of its name; `crm` is its endpoint if not the simulator."""

    name: str
    crm: str = ""
    limits: dict[str, Any] = field(default_factory=dict)
    on_unknown: str = "retry"


class Installation(Stack):
    """A stack to which a test adds connections and referrals, and whose processes it breaks."""

    def __init__(self, folder: Path, *wanted: Connected, **settings: str) -> None:
        super().__init__(folder, **{**SHORT_TIMES, **settings})
        self.crm = CRM(slow_seconds=0.5, hang_seconds=scaled(60), retry_after=2)
        self._wanted = wanted or (Connected("people"),)
        self.accepted: list[str] = []
        self._numbers = itertools.count(1)

    @property
    def lease(self) -> str:
        """The seconds for which a worker holds what it has claimed."""
        return self._settings["DELIVERY_LEASE_SECONDS"]

    @property
    def total_timeout(self) -> str:
        """The seconds that a send may take."""
        return self._settings["DELIVERY_TOTAL_TIMEOUT"]

    def __enter__(self) -> Self:
        self.crm.start()
        self.valkey.start()
        self.database.create()
        self.seed(*self._wanted)
        return self

    def seed(self, *wanted: Connected) -> None:
        """Add a connection, a campaign and their link for each."""
        rows = [asdict(one) for one in wanted]
        for one in rows:
            one["crm"] = one["crm"] or self.crm.url
            one["limits"] = {"schedule": QUICK_SCHEDULE, **one["limits"]}
        self.demo = json.loads(self.python("-m", "tests.faults.seed", json.dumps(rows)))

    def python(self, *arguments: str) -> str:
        """Run a program to its end and return what it printed."""
        finished = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def shell(self, code: str) -> str:
        """Run code in Django's shell."""
        return self.manage("shell", "--verbosity", "0", "-c", code)

    def start_with(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a program that runs until it is stopped, with an environment of its own."""
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env={**self.environment, **environment}
        )
        self._processes.append(process)
        return process

    def start_faulty_worker(self, fault: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker that fails in a way of its own; see `faulty_worker.py`."""
        return self.start_with("-m", "tests.faults.faulty_worker", FAULT=fault, **environment)

    def start_all(self, workers: int = 1) -> list[subprocess.Popen[bytes]]:
        """Start web, tick and workers; returns the workers."""
        self.start("tick")
        started = [self.start("worker") for _ in range(workers)]
        self.start_web()
        return started

    def create_referrals(self, count: int, campaign: str = "people", word: str = "jo") -> list[str]:
        """Post referrals to the API and remember those that were accepted; return their ids."""
        numbers = [next(self._numbers) for _ in range(count)]
        items = [
            {"external_id": f"{number}", "attributes": {"email": f"{word}.{number}@example.com"}}
            for number in numbers
        ]
        for start in range(0, count, _LIST):
            self._post(campaign, items[start : start + _LIST])
        return [f"{number}" for number in numbers]

    def _post(self, campaign: str, items: list[dict[str, Any]]) -> None:
        path = f"/api/v1/campaigns/{campaign}/referrals"
        # As any client does: what was not answered is posted again, which changes nothing.
        for _ in range(30):
            try:
                status, answer = self.call("POST", path, items)
            except OSError:
                status, answer = 0, "no answer"
            if status == 202:
                self.accepted += [one["external_id"] for one in answer["referrals"]]
                return
            time.sleep(0.5)
        raise AssertionError(f"not accepted: {status} {answer}")

    def delivered(self, count: int) -> Callable[[], bool]:
        """Return a test of whether the CRM knows so many people by now."""
        return lambda: self.crm.people() >= count

    def waiting(self) -> int:
        """How many deliveries are not final."""
        [[count]] = self.query("SELECT count(*) FROM referrals_delivery WHERE status = 'pending'")
        return int(count)

    def wait_until_finished(self, seconds: float = 120, left: int = 0) -> float:
        """Wait until all deliveries but `left` are final; return the seconds that it took."""
        began = time.monotonic()
        end = began + scaled(seconds)
        while (waiting := self.waiting()) > left:
            assert time.monotonic() < end, f"{waiting} still wait: {self.describe()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def describe(self) -> str:
        """Return the deliveries by state, for the message of a failed test."""
        rows = self.query(
            "SELECT d.status, d.outcome, c.state, d.claimed_at IS NULL, count(*), min(d.due_at)"
            " FROM referrals_delivery d JOIN connections_connection c ON c.id = d.connection_id"
            " GROUP BY 1, 2, 3, 4"
        )
        return "; ".join(map(str, rows))

    def tally(self) -> Tally:
        """Compare the log with what the CRM received."""
        return tally(self.query, self.crm.received(), self.accepted)
