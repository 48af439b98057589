"""An installation with short time limits, whose workers can be made to fail."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from connections.simulator import CRM
from tests.faults.tools.invariants import InvariantReport, build_invariant_report
from tests.stack import ROOT, Stack
from tests.timing import scaled

IS_POSTGRESQL = bool(os.environ.get("DATABASE_URL"))
RUN_SIZE = 2_000
"""Deliveries in each run."""

_BATCH_SIZE = 500
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
"""The defaults of config/settings.py, for tests of the time limits themselves."""

BOTH_TIMES = [
    pytest.param(SHORT_TIMES, id="short"),
    pytest.param(PRODUCT_TIMES, id="product", marks=pytest.mark.faults),
]
"""Parameters for tests that run with short times, and with the defaults under `make faults`."""

QUICK_SCHEDULE = [0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]


@dataclass(frozen=True)
class SeedConnection:
    """A connection and a campaign of the same name; without a `crm` URL it uses the simulator."""

    name: str
    crm: str = ""
    limits: dict[str, Any] = field(default_factory=dict)
    on_unknown: str = "retry"


class Installation(Stack):
    """A stack with connections of the test's choice, whose processes the test can break."""

    def __init__(self, folder: Path, *connections: SeedConnection, **settings: str) -> None:
        super().__init__(folder, **{**SHORT_TIMES, **settings})
        self.crm = CRM(slow_seconds=0.5, hang_seconds=scaled(60), retry_after=2)
        self._connections = connections or (SeedConnection("people"),)
        self.accepted: list[str] = []
        self._numbers = itertools.count(1)

    @property
    def lease(self) -> str:
        """The lease of a claim in seconds, as in the setting."""
        return self._settings["DELIVERY_LEASE_SECONDS"]

    @property
    def total_timeout(self) -> str:
        """The total time limit of a send in seconds, as in the setting."""
        return self._settings["DELIVERY_TOTAL_TIMEOUT"]

    def __enter__(self) -> Self:
        self.crm.start()
        self.valkey.start()
        self.database.create()
        self.seed(*self._connections)
        return self

    def seed(self, *connections: SeedConnection) -> None:
        """Create the tables, the demo, and each connection with its campaign and link."""
        rows = [asdict(one) for one in connections]
        for row in rows:
            row["crm"] = row["crm"] or self.crm.url
            row["limits"] = {"schedule": QUICK_SCHEDULE, **row["limits"]}
        self.demo = json.loads(self.python("-m", "tests.faults.tools.seed", json.dumps(rows)))

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
        """Start a program that runs until it is stopped, with more environment variables."""
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env={**self.environment, **environment}
        )
        self._processes.append(process)
        return process

    def start_faulty_worker(self, fault: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker that fails at this step; see `faulty_worker.py`."""
        return self.start_with("-m", "tests.faults.tools.faulty_worker", FAULT=fault, **environment)

    def start_all(self, workers: int = 1) -> list[subprocess.Popen[bytes]]:
        """Start web, tick and workers; return the workers."""
        self.start("tick")
        started = [self.start("worker") for _ in range(workers)]
        self.start_web()
        return started

    def create_referrals(self, count: int, campaign: str = "people", word: str = "jo") -> list[str]:
        """Post referrals to the API; return their external ids and add them to `accepted`."""
        numbers = [next(self._numbers) for _ in range(count)]
        items = [
            {"external_id": f"{number}", "attributes": {"email": f"{word}.{number}@example.com"}}
            for number in numbers
        ]
        for start in range(0, count, _BATCH_SIZE):
            self._post(campaign, items[start : start + _BATCH_SIZE])
        return [f"{number}" for number in numbers]

    def _post(self, campaign: str, items: list[dict[str, Any]]) -> None:
        path = f"/api/v1/campaigns/{campaign}/referrals"
        # As clients do: a post without a response is repeated, which creates nothing twice.
        for _ in range(30):
            try:
                status, response = self.call("POST", path, items)
            except OSError:
                status, response = 0, "no response"
            if status == 202:
                self.accepted += [referral["external_id"] for referral in response["referrals"]]
                return
            time.sleep(0.5)
        raise AssertionError(f"not accepted: {status} {response}")

    def wait_until_delivered(self, count: int) -> None:
        """Wait until the CRM has so many people."""
        self.wait_until(lambda: self.crm.people() >= count)

    def pending_count(self) -> int:
        """Count the deliveries that are not final."""
        [[count]] = self.query("SELECT count(*) FROM referrals_delivery WHERE status = 'pending'")
        return int(count)

    def wait_until_finished(self, seconds: float = 120) -> float:
        """Wait until all deliveries are final; return the seconds that it took."""
        began = time.monotonic()
        end = began + scaled(seconds)
        while pending := self.pending_count():
            assert time.monotonic() < end, f"{pending} are pending: {self.describe()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def describe(self) -> str:
        """Count the deliveries by state, for the message of a failed test."""
        rows = self.query(
            "SELECT d.status, d.outcome, c.state, d.claimed_at IS NULL, count(*), min(d.due_at)"
            " FROM referrals_delivery d JOIN connections_connection c ON c.id = d.connection_id"
            " GROUP BY 1, 2, 3, 4"
        )
        return "; ".join(map(str, rows))

    def invariant_report(self) -> InvariantReport:
        """Return the log compared with what the CRM received."""
        return build_invariant_report(self.query, self.crm.received(), self.accepted)
