"""Every path, name, link, command and setting in the documents exists."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md") for path in ROOT.glob(pattern)
)
README = (ROOT / "README.md").read_text()
CODE = ("config", "connections", "referrals")
FOLDERS = (*CODE, "tests", "docs", "benchmarks", ".ci", ".github")
FILE_NAME = re.compile(r"[\w.-]+\.(py|md|toml|html|css|js|json|yml)")

named = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def words(text: str) -> list[str]:
    """Return the words of all code in a document, inline and in blocks."""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    for block in blocks:
        text = text.replace(block, "")
    code = [*blocks, *re.findall(r"`([^`]+)`", text)]
    return [word.strip("`'\"(),:;") for part in code for word in part.split()]


def exists(word: str) -> bool:
    """Return whether a path, file name or dotted name exists; True for all other words."""
    if word.partition("/")[0] in FOLDERS and "/" in word:
        return any(ROOT.glob(word.partition("::")[0].rstrip("/")))
    if FILE_NAME.fullmatch(word):
        return (ROOT / word).exists() or any(any((ROOT / folder).rglob(word)) for folder in FOLDERS)
    if word.partition(".")[0] in CODE and re.fullmatch(r"\w+(\.\w+)+", word):
        return is_importable(word)
    return True


def is_importable(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(import_module(module), attribute) or bool(import_module(name))
    except ModuleNotFoundError:
        return False


@named
def test_paths_and_names_in_code_exist(document: Path) -> None:
    assert [word for word in words(document.read_text()) if not exists(word)] == []


@named
def test_links_point_to_files_and_headings(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        path, _, heading = target.partition("#")
        linked = document.parent / path if path else document
        assert "://" in target or linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert heading in [title.lower().replace(" ", "-") for title in headings], target


def test_a_wrong_path_is_found() -> None:
    good = "`connections/core`, `pump.py`, `referrals.jobs.notify`, `env:NAME`, `a/b`, `make test`"
    assert [word for word in words(good) if not exists(word)] == []
    wrong = ["connections/nowhere", "nobody.py", "referrals.jobs.nothing", "referrals.nowhere"]
    assert [word for word in words(f"`{'` `'.join(wrong)}`") if not exists(word)] == wrong


def test_the_readme_lists_every_decision_by_its_title() -> None:
    listed = re.findall(r"^- \[(\d+)\]\((.+)\): (.+)$", README, re.MULTILINE)
    files = sorted((ROOT / "docs/decisions").glob("*.md"))
    titles = [path.read_text().splitlines()[0].removeprefix("# ").split(": ", 1) for path in files]
    assert [(number, title) for number, _, title in listed] == [tuple(title) for title in titles]
    assert [path for _, path, _ in listed] == [str(path.relative_to(ROOT)) for path in files]


def test_the_readme_lists_every_command() -> None:
    listed = re.findall(r"^\| `manage\.py (\w+)", README, re.MULTILINE)
    assert sorted(listed) == sorted(name for name, app in get_commands().items() if app in CODE)


def test_the_example_of_the_environment_lists_every_setting() -> None:
    source = (ROOT / "config/settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', source))
    listed = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(read)
