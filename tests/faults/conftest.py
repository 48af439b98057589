"""Fixtures of the fault tests: an installation, and the check of its invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.tools import report
from tests.faults.tools.installation import Installation
from tests.faults.tools.invariants import InvariantReport

CheckInvariants = Callable[[str, float], InvariantReport]


@pytest.fixture(scope="session", autouse=True)
def delete_rows() -> None:
    """Delete the rows of an earlier run."""
    report.delete_rows()


@pytest.fixture
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """Yield an installation with the connection and campaign `people`; no process runs yet.

    Tests set other settings by an indirect parameter.
    """
    with Installation(tmp_path, **getattr(request, "param", {})) as installation:
        yield installation


@pytest.fixture
def check_invariants(installation: Installation) -> CheckInvariants:
    """Return a check of the invariants that adds a row: the fault, the seconds to recover."""

    def check(fault: str, seconds: float) -> InvariantReport:
        found = installation.invariant_report()
        report.add(report.build_row(fault, found, seconds))
        found.raise_if_violated()
        return found

    return check
