"""Tests of the migrations."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

REVERSE_AND_APPLY = """
import django
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

APPS = ("connections", "referrals")

def schema():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        return cursor.fetchall()

def migrations():
    graph = MigrationLoader(connection).graph
    return [node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf)]

call_command("migrate", verbosity=0)
before = schema()
own_nodes = [node for node in dict.fromkeys(migrations()) if node[0] in APPS]
for app, name in reversed(own_nodes):
    earlier = [other for label, other in own_nodes if label == app and other < name]
    call_command("migrate", app, earlier[-1] if earlier else "zero", verbosity=0)
remaining = [name for name, _ in schema() if name.startswith(APPS)]
assert remaining == [], remaining
for app, name in own_nodes:
    call_command("migrate", app, name, verbosity=0)
call_command("migrate", verbosity=0)
assert schema() == before
print(len(own_nodes))
"""


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_migration_can_be_reversed_and_applied_again(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", REVERSE_AND_APPLY],
        cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (finished.returncode, finished.stderr) == (0, "")
    folders = (settings.BASE_DIR / app / "migrations" for app in ("connections", "referrals"))
    files = [file for folder in folders for file in folder.glob("0*.py")]
    assert int(finished.stdout) == len(files) >= 2
