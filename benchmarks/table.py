"""The table that a run prints, and a line for each measurement while it runs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from rich import box
from rich import table as rich_table
from rich.console import Console

from benchmarks.measure import Row


class Table:
    """What a person at the terminal sees."""

    def __init__(self) -> None:
        self._console = Console(width=None)
        self._loads: list[float] = [os.getloadavg()[0]]

    def add(self, name: str, rows: Sequence[Row], seconds: float) -> None:
        """Say that one measurement is done."""
        self._loads.append(os.getloadavg()[0])
        figures = ", ".join(figure(row.value if row.ratio is None else row.ratio) for row in rows)
        self._console.print(f"{name}: {figures} ({seconds:.0f} s)", highlight=False)

    def print(self, rows: Sequence[Row]) -> None:
        """All of it, with what else the machine had to do."""
        table = rich_table.Table(box=box.SIMPLE_HEAD, caption=self._caption())
        for heading in ("", "value", "unit", "against", "value", "ratio", "goal", ""):
            is_number = heading in ("value", "ratio", "goal")
            table.add_column(heading, justify="right" if is_number else "left")
        for row in rows:
            table.add_row(*_cells(row))
        self._console.print(table)

    def _caption(self) -> str:
        loads = f"{min(self._loads):.1f} to {max(self._loads):.1f}"
        return (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, medians of interleaved "
            f"rounds; the machine's load was {loads}, with what is measured in it"
        )


def _cells(row: Row) -> list[str]:
    marks = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}
    return [
        row.name,
        figure(row.value),
        row.unit,
        row.against,
        "" if row.against_value is None else figure(row.against_value),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if row.goal is None else str(row.goal),
        marks[row.is_met],
    ]


def figure(value: float) -> str:
    """With as many digits as mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
