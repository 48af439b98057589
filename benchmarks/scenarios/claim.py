"""What a claim costs where a million deliveries of one connection are due, and where a thousand."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from functools import partial

from django.db import connection as database

from benchmarks.context import Stage
from benchmarks.fixtures import make_world
from benchmarks.installation import a_database
from benchmarks.measure import Row, at_most, interleave
from referrals import db_clock
from referrals.leases import Claim, ClaimResult, claim, complete
from referrals.statuses import DeliveryStatus, Trigger

_BATCH = 32
_CLAIMS = 200
_LEASE = timedelta(seconds=90)
_NOWHERE = ["http://127.0.0.1:1"]


def measure(stage: Stage) -> list[Row]:
    """Each size in a database of its own, and every claim given back before the next."""
    home, few, many = _name(), 1_000, stage.size(1_000_000)
    with a_database(_server(stage), f"{home}_due") as other:
        stage.installation.manage_on(other, "migrate", "--verbosity", "0")
        make_world(_NOWHERE).fill(few)
        _enter(f"{home}_due")
        make_world(_NOWHERE).fill(many)
        laps = interleave(
            stage.rounds,
            {"few": partial(_claims, home), "many": partial(_claims, f"{home}_due")},
        )
        _enter(home)
    return [
        Row(
            name=f"claim, {many:,} due on one connection", value=statistics.median(laps["many"]),
            unit="ms", against=f"{few:,} due", against_value=statistics.median(laps["few"]),
            goal=at_most(1.2),
        )
    ]  # fmt: skip


def _server(stage: Stage) -> str:
    return stage.installation.environment["DATABASE_URL"]


def _name() -> str:
    return str(database.settings_dict["NAME"])


def _enter(name: str) -> None:
    """From here on, this process works on another database of the server."""
    database.close()
    database.settings_dict["NAME"] = name


def _claims(name: str) -> float:
    _enter(name)
    return statistics.median(_one_claim() for _ in range(_CLAIMS))


def _one_claim() -> float:
    began = time.perf_counter()
    taken = claim(limit=_BATCH, now=db_clock.now(), lease=_LEASE)
    milliseconds = 1000 * (time.perf_counter() - began)
    if len(taken) != _BATCH:
        raise RuntimeError(f"{_BATCH} were to be claimed, and {len(taken)} were.")
    complete([_given_back(one) for one in taken])
    return milliseconds


def _given_back(taken: Claim) -> ClaimResult:
    return ClaimResult(
        delivery_id=taken.delivery_id, number=taken.number, status=DeliveryStatus.PENDING,
        outcome="", attempts_used=taken.attempts_used, due_at=taken.created_at, finished_at=None,
        next_trigger=Trigger.FIRST, attempt=None,
    )  # fmt: skip
