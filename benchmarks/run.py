"""Run the chosen scenarios one after another, print the results and store those of a full run."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.chart import draw
from benchmarks.context import BenchmarkContext
from benchmarks.installation import Installation
from benchmarks.measure import BenchmarkResult
from benchmarks.table import ResultTable

_FOLDER = Path(__file__).resolve().parent


def run(
    installation: Installation, names: Sequence[str], *, is_complete: bool, is_quick: bool
) -> None:
    """Run the named scenarios; write the result files only after a full run of all of them."""
    rounds, scale = (1, 0.02) if is_quick else (3, 1.0)
    context = BenchmarkContext(installation=installation, rounds=rounds, scale=scale)
    table = ResultTable()
    results: list[BenchmarkResult] = []
    for name in names:
        began = time.perf_counter()
        measured = import_module(f"benchmarks.scenarios.{name}").measure(context)
        table.print_progress(name, measured, time.perf_counter() - began)
        results += measured
    table.print_all(results)
    if is_complete and not is_quick:
        _write_files(results)


def _write_files(results: Sequence[BenchmarkResult]) -> None:
    content = {"rows": [result.to_json() for result in results]}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (_FOLDER / "results.json").write_text(f"{text}\n")
    (_FOLDER / "results.svg").write_text(draw(results))
