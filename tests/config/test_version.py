"""Tests of the version of the product."""

from __future__ import annotations

import tomllib

from django.conf import settings
from django.utils.module_loading import import_string

from connections import __version__
from connections.core.request.builder import USER_AGENT


def test_the_project_takes_its_version_from_the_code() -> None:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())

    assert project["project"]["dynamic"] == ["version"]
    assert "version" not in project["project"]
    source = project["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert import_string(source) == __version__


def test_the_user_agent_contains_the_version() -> None:
    assert USER_AGENT.split()[0] == f"Referrals/{__version__}"


def test_the_newest_entry_of_the_changelog_has_this_version() -> None:
    changelog = (settings.BASE_DIR / "CHANGELOG.md").read_text()
    headings = [line for line in changelog.splitlines() if line.startswith("## ")]

    assert headings[0].removeprefix("## ").split()[0] == __version__
