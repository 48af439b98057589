"""How long a claim takes with a million due deliveries on one connection, and with a thousand."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from functools import partial

from django.db import connection as database

from benchmarks.context import BenchmarkContext
from benchmarks.fixtures import create_fixture
from benchmarks.installation import create_database
from benchmarks.measure import BenchmarkResult, at_most, interleave
from referrals import db_clock
from referrals.leases import Claim, ClaimResult, claim, complete
from referrals.statuses import DeliveryStatus, Trigger

_BATCH_SIZE = 32
_CLAIMS_PER_ROUND = 200
_LEASE = timedelta(seconds=90)
_UNUSED_ORIGINS = ["http://127.0.0.1:1"]


def measure(context: BenchmarkContext) -> list[BenchmarkResult]:
    """Measure both sizes, each in a database of its own; release every claim before the next."""
    few, many = 1_000, context.scaled(1_000_000)
    few_name = str(database.settings_dict["NAME"])
    many_name = f"{few_name}_due"
    server_url = context.installation.environment["DATABASE_URL"]
    with create_database(server_url, many_name) as many_url:
        context.installation.manage_on(many_url, "migrate", "--verbosity", "0")
        create_fixture(_UNUSED_ORIGINS).fill(few)
        _use_database(many_name)
        create_fixture(_UNUSED_ORIGINS).fill(many)
        measured = interleave(
            context.rounds,
            {"few": partial(_median_claim, few_name), "many": partial(_median_claim, many_name)},
        )
        _use_database(few_name)
    return [
        BenchmarkResult(
            name=f"claim, {many:,} due on one connection",
            value=statistics.median(measured["many"]), unit="ms",
            against=f"{few:,} due", against_value=statistics.median(measured["few"]),
            goal=at_most(1.2),
        )
    ]  # fmt: skip


def _use_database(name: str) -> None:
    """Switch this process to another database of the server."""
    database.close()
    database.settings_dict["NAME"] = name


def _median_claim(database_name: str) -> float:
    """Return the median duration of a claim in milliseconds."""
    _use_database(database_name)
    return statistics.median(_time_claim() for _ in range(_CLAIMS_PER_ROUND))


def _time_claim() -> float:
    began = time.perf_counter()
    claims = claim(limit=_BATCH_SIZE, now=db_clock.now(), lease=_LEASE)
    milliseconds = 1000 * (time.perf_counter() - began)
    if len(claims) != _BATCH_SIZE:
        raise RuntimeError(f"{_BATCH_SIZE} were to be claimed, and {len(claims)} were.")
    complete([_release(one) for one in claims])
    return milliseconds


def _release(claimed: Claim) -> ClaimResult:
    """Return the result that makes the delivery due again without a recorded attempt."""
    return ClaimResult(
        delivery_id=claimed.delivery_id, number=claimed.number, status=DeliveryStatus.PENDING,
        outcome="", attempts_used=claimed.attempts_used, due_at=claimed.created_at,
        finished_at=None, next_trigger=Trigger.FIRST, attempt=None,
    )  # fmt: skip
