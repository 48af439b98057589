"""One installation for each fault, and what must hold after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import report
from tests.faults.installation import Installation
from tests.faults.invariants import Tally

Prove = Callable[[str, float], Tally]


@pytest.fixture(scope="session", autouse=True)
def rows() -> None:
    """The table begins anew."""
    report.begin()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Running nothing yet, with one connection and campaign called "people"."""
    with Installation(tmp_path) as made:
        yield made


@pytest.fixture
def prove(installation: Installation) -> Prove:
    """Checks the promise and keeps a row for the table: the fault, the seconds to recover."""

    def check(fault: str, seconds: float) -> Tally:
        found = installation.tally()
        report.keep(report.row(fault, found, seconds))
        found.check()
        return found

    return check
