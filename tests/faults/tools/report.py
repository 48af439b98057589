"""The table of all fault tests in docs/faults.md.

If FAULTS_ROWS names a folder, each run writes its rows there, one file per kind of database.
`python -m tests.faults.tools.report FOLDER PAGE` renders the page from them.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.faults.tools.invariants import InvariantReport

_KIND = "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite"
_MACHINE = f"Python {platform.python_version()}, {os.cpu_count()} cores"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault and its result."""

    fault: str
    deliveries: int
    lost: int
    duplicated: int
    unknown: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measurement, about which nothing is asserted."""

    name: str
    value: str


def delete_rows() -> None:
    """Delete the rows of an earlier run on this kind of database."""
    if path := _path():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def add(entry: Row | Figure) -> None:
    """Add a row to the file of this kind of database."""
    if path := _path():
        with path.open("a") as file:
            line = {"kind": type(entry).__name__, "database": _KIND, "machine": _MACHINE}
            file.write(json.dumps({**line, **asdict(entry)}) + "\n")


def build_row(fault: str, found: InvariantReport, seconds: float) -> Row:
    """Return the row for an invariant report."""
    return Row(
        fault=fault,
        deliveries=found.deliveries,
        lost=len(found.lost),
        duplicated=len(found.duplicated) + len(found.unlogged),
        unknown=found.unknown,
        seconds=seconds,
    )


def render_page(folder: Path) -> str:
    """Return the page with all stored rows."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.open()]
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
    rows = [_render_row(entry) for entry in entries if entry["kind"] == "Row"]
    figures = [_render_figure(entry) for entry in entries if entry["kind"] == "Figure"]
    machines = "; ".join(sorted({entry["machine"] for entry in entries}))
    return _PAGE.format(rows="\n".join(rows), figures="\n".join(figures), machines=machines)


_PAGE = """# Faults

Made by `make faults`: real processes (gunicorn, workers, the tick, Valkey, the database), a fault
during each run, and a CRM simulator that counts what arrives. After each run, the delivery log is
compared with what the simulator received:

* every accepted referral ends in a final outcome or visibly waits;
* every request that the simulator received is an attempt in the log or an `unknown`;
* no delivery has two successes unless an `unknown` is between them.

*Lost* counts what was accepted and is neither final nor waiting. *Duplicated unseen* counts what
violates the other two. *Unknown* counts the attempts of which nobody can know whether they arrived;
each is in the log. *Seconds* are from the fault, or from its end, until everything was final.

Times are short in most runs: a lease of 6 s instead of 90 s, a send of at most 2 s instead of 30 s;
a row that names its lease ran with that one. The measurements below have the product's own times.
{machines}; the processes of the product and the simulator share them.

| fault | database | deliveries | lost | duplicated unseen | unknown | seconds |
|---|---|--:|--:|--:|--:|--:|
{rows}

| measured | database | |
|---|---|---|
{figures}
"""


def _render_row(row: dict[str, Any]) -> str:
    return (
        f"| {row['fault']} | {row['database']} | {row['deliveries']:,} | {row['lost']}"
        f" | {row['duplicated']} | {row['unknown']} | {row['seconds']:.1f} |"
    )


def _render_figure(figure: dict[str, Any]) -> str:
    return f"| {figure['name']} | {figure['database']} | {figure['value']} |"


def _path() -> Path | None:
    folder = os.environ.get("FAULTS_ROWS")
    return Path(folder) / f"{_KIND.lower()}.jsonl" if folder else None


if __name__ == "__main__":
    page = render_page(Path(sys.argv[1]))
    Path(sys.argv[2]).write_text(page)
    print(page)
