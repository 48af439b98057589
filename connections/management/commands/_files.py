"""What the commands for connection files share: reading a file, finding a row, refusing clearly."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import CommandError

from connections.http.errors import DescriptionError
from connections.models import Account

WRONG_FILE = 2


def read_file(name: str) -> str:
    """The text of a file; raises DescriptionError where it can't be read."""
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DescriptionError("", f"Can't be read: {reason}.") from error


def find_account(slug: str) -> Account:
    """The account of this slug; raises CommandError that lists the known ones."""
    try:
        return Account.objects.get(slug=slug)
    except Account.DoesNotExist:
        known = ", ".join(Account.objects.values_list("slug", flat=True)) or "none yet"
        message = f'There is no account "{slug}". Accounts: {known}.'
        raise CommandError(message, returncode=WRONG_FILE) from None


def refuse(name: str, error: DescriptionError) -> str:
    """The sentence that names the file and the key."""
    return f"{name}: {error}".replace(": : ", ": ")
