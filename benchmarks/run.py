"""Runs the chosen measurements in turn, and keeps what they come to.

Only a whole run replaces the kept results.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.chart import draw
from benchmarks.context import Stage
from benchmarks.installation import Installation
from benchmarks.measure import Row
from benchmarks.table import Table

_HERE = Path(__file__).resolve().parent


def run(
    installation: Installation, names: Sequence[str], *, is_whole: bool, is_quick: bool
) -> None:
    """Measure, print, and write the files where all was measured."""
    rounds, part = (1, 0.02) if is_quick else (3, 1.0)
    stage = Stage(installation=installation, rounds=rounds, part=part)
    table = Table()
    rows: list[Row] = []
    for name in names:
        began = time.perf_counter()
        found = import_module(f"benchmarks.scenarios.{name}").measure(stage)
        table.add(name, found, time.perf_counter() - began)
        rows += found
    table.print(rows)
    if is_whole and not is_quick:
        _keep(rows)


def _keep(rows: Sequence[Row]) -> None:
    results = {"rows": [row.to_json() for row in rows]}
    text = json.dumps(results, indent=2, ensure_ascii=False)
    (_HERE / "results.json").write_text(f"{text}\n")
    (_HERE / "results.svg").write_text(draw(rows))
