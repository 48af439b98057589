"""Print a line for each finished scenario, and the table of all results at the end."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.measure import BenchmarkResult


class ResultTable:
    """The output of a run on the terminal."""

    def __init__(self) -> None:
        self._console = Console(width=None)
        self._loads: list[float] = [os.getloadavg()[0]]

    def print_progress(self, name: str, results: Sequence[BenchmarkResult], seconds: float) -> None:
        """Print the results of a finished scenario in one line, and note the machine's load."""
        self._loads.append(os.getloadavg()[0])
        figures = ", ".join(
            format_figure(result.value if result.ratio is None else result.ratio)
            for result in results
        )
        self._console.print(f"{name}: {figures} ({seconds:.0f} s)", highlight=False)

    def print_all(self, results: Sequence[BenchmarkResult]) -> None:
        """Print the table of all results; its caption gives the machine's load during the run."""
        table = Table(box=box.SIMPLE_HEAD, caption=self._caption())
        for heading in ("", "value", "unit", "against", "value", "ratio", "goal", ""):
            is_number = heading in ("value", "ratio", "goal")
            table.add_column(heading, justify="right" if is_number else "left")
        for result in results:
            table.add_row(*_cells(result))
        self._console.print(table)

    def _caption(self) -> str:
        loads = f"{min(self._loads):.1f} to {max(self._loads):.1f}"
        return (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, medians of interleaved "
            f"rounds; the machine's load was {loads}, with what is measured in it"
        )


def _cells(result: BenchmarkResult) -> list[str]:
    marks = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}
    return [
        result.name,
        format_figure(result.value),
        result.unit,
        result.against,
        "" if result.against_value is None else format_figure(result.against_value),
        "" if result.ratio is None else f"{result.ratio:.2f}",
        "" if result.goal is None else str(result.goal),
        marks[result.is_met],
    ]


def format_figure(value: float) -> str:
    """Return the number with three significant digits, or as an integer from 100 on."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
