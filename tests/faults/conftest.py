"""Fixtures of the fault tests: an installation, and the check of its invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import report
from tests.faults.installation import Installation
from tests.faults.invariants import Tally

CheckInvariants = Callable[[str, float], Tally]


@pytest.fixture(scope="session", autouse=True)
def rows() -> None:
    """Delete the rows of an earlier run."""
    report.begin()


@pytest.fixture
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """An installation with one connection and campaign, `people`; no process runs yet.

    A test may give it other settings, as an indirect parameter.
    """
    with Installation(tmp_path, **getattr(request, "param", {})) as made:
        yield made


@pytest.fixture
def check_invariants(installation: Installation) -> CheckInvariants:
    """Check the invariants, and add a row to the table: the fault, the seconds to recover."""

    def check(fault: str, seconds: float) -> Tally:
        found = installation.tally()
        report.keep(report.row(fault, found, seconds))
        found.check()
        return found

    return check
