"""The table of all faults; must not know how any of them is made.

Rows are kept in a file while the tests run, and become `docs/faults.md` when FAULTS_REPORT says so.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.property import Tally

_KIND = "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault and what came of it."""

    fault: str
    deliveries: int
    lost: int
    duplicated: int
    unknown: int
    seconds: float
    database: str = _KIND


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Something that was measured and is told as it is."""

    name: str
    value: str
    database: str = _KIND


def keep(entry: Row | Figure) -> None:
    """Remember a row for the table."""
    path = os.environ.get("FAULTS_ROWS")
    if path:
        with Path(path).open("a") as file:
            file.write(json.dumps({"kind": type(entry).__name__, **asdict(entry)}) + "\n")


def row(fault: str, found: Tally, seconds: float) -> Row:
    """A row for what a comparison came to."""
    return Row(
        fault=fault,
        deliveries=found.deliveries,
        lost=len(found.lost),
        duplicated=len(found.duplicated) + len(found.unlogged),
        unknown=found.unknown,
        seconds=seconds,
    )


def render(path: Path) -> str:
    """The page, from the rows that were kept."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [entry for entry in entries if entry["kind"] == "Row"]
    figures = [entry for entry in entries if entry["kind"] == "Figure"]
    return "\n".join([*_HEAD, *map(_line, rows), "", *_FIGURES_HEAD, *map(_figure, figures), ""])


_HEAD = [
    "# Faults",
    "",
    "Made by `make faults`: real processes (gunicorn, workers, the tick, Valkey, the database), a",
    "CRM simulator as the witness that counts what arrived, and one fault during each run. After",
    "each, the log is compared with the witness: every accepted referral ends in a final outcome or",
    "visibly waits; every request that the witness saw is an attempt in the log or an `unknown`; no",
    "delivery has two successes unless an `unknown` stands between.",
    "",
    "*Lost*: accepted, and neither final nor waiting. *Duplicated unseen*: two successes without an",
    "`unknown`. *Unknown*: attempts of which nobody can know whether they arrived, each of them in",
    "the log. *Seconds*: from the fault, or its end, until everything was final. Times are short in",
    "these runs: a lease lasts 6 s instead of 90 s, and a send 2 s instead of 30 s.",
    "",
    f"Python {platform.python_version()}, {os.cpu_count()} cores, shared with the CRM simulator.",
    "",
    "| fault | database | deliveries | lost | duplicated unseen | unknown | seconds |",
    "|---|---|--:|--:|--:|--:|--:|",
]
_FIGURES_HEAD = ["| measured | database | |", "|---|---|---|"]


def _line(row: dict[str, object]) -> str:
    return (
        f"| {row['fault']} | {row['database']} | {row['deliveries']:,} | {row['lost']}"
        f" | {row['duplicated']} | {row['unknown']} | {row['seconds']:.1f} |"
    )


def _figure(figure: dict[str, object]) -> str:
    return f"| {figure['name']} | {figure['database']} | {figure['value']} |"
