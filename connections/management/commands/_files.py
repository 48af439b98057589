"""Read connection files and format their errors, for the commands."""

from __future__ import annotations

from pathlib import Path

from connections.core.errors import DescriptionError

WRONG_FILE_EXIT_CODE = 2


def read_file(name: str) -> str:
    """Return the text of a file; raise DescriptionError if it can't be read."""
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DescriptionError("", f"Can't be read: {reason}.") from error


def format_error(name: str, error: DescriptionError) -> str:
    """Return a sentence that names the file and the wrong key."""
    return f"{name}: {error}".replace(": : ", ": ")
