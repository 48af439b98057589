"""What the commands for connection files share: reading a file and refusing it clearly."""

from __future__ import annotations

from pathlib import Path

from connections.core.errors import DescriptionError

WRONG_FILE = 2


def read_file(name: str) -> str:
    """The text of a file; raises DescriptionError where it can't be read."""
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DescriptionError("", f"Can't be read: {reason}.") from error


def refuse(name: str, error: DescriptionError) -> str:
    """The sentence that names the file and the key."""
    return f"{name}: {error}".replace(": : ", ": ")
