"""Restore a stored database into an installation of its own."""

from __future__ import annotations

from pathlib import Path

from tests.stack import Stack

FOLDER = Path(__file__).parent
SCRIPTS = {"sqlite": "sqlite.sql", "postgresql": "postgresql.sql"}

CRM_URL = "http://crm.stored.invalid"
"""Stands in the scripts for the URL of the CRM simulator, which differs from run to run."""


class RestoredStack(Stack):
    """An installation whose database is restored from a script and migrated to today."""

    def __init__(self, folder: Path, script: str) -> None:
        super().__init__(folder)
        self._script = script

    def prepare_database(self) -> None:
        """Restore the script, with the CRM where it listens now, and migrate."""
        self.database.run_script(self._script.replace(CRM_URL, self.crm.url))
        self.manage("migrate", "--verbosity", "0")
