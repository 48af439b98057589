"""Write the history of rows: who changed them, and by what way in (`Door`).

Operations write it inside the transaction of the change; their callers pass the actor as `by`.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest

from connections.models.history import Door, HistoryEntry, get_content_type

__all__ = ["Actor", "Door", "record_change", "record_changes"]

_CHUNK_SIZE = 1000
"""Entries inserted by one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The one who changes something: a user, or the login of whoever runs a command."""

    door: Door
    user: User | None = None
    login: str = ""

    @classmethod
    def of_request(cls, request: HttpRequest) -> Actor:
        """Return the actor of a request to the admin."""
        user = request.user if request.user.is_authenticated else None
        return cls(door=Door.ADMIN, user=user)

    @classmethod
    def of_command(cls) -> Actor:
        """Return the actor of a management command: the operating system's login."""
        return cls(door=Door.COMMAND, login=_login_name())


def record_change(row: Model, *, by: Actor, message: str) -> None:
    """Store one entry in the row's history."""
    record_changes(type(row), [row.pk], by=by, message=message)


def record_changes(model: type[Model], keys: Iterable[object], *, by: Actor, message: str) -> None:
    """Store the same entry in the history of every row with one of these primary keys."""
    content_type = get_content_type(model)
    entries = [
        HistoryEntry(
            content_type=content_type, object_id=str(key), user=by.user, door=by.door,
            login=by.login, message=message,
        )
        for key in keys
    ]  # fmt: skip
    HistoryEntry.objects.bulk_create(entries, batch_size=_CHUNK_SIZE)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have no entry in the password database.
        return f"uid {os.getuid()}"
