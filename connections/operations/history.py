"""Who did what, in the admin's own log, for what is done outside of a form."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model, QuerySet

_CHUNK = 1000


def log_change(user: Any, row: Model, message: str) -> None:  # noqa: ANN401 - any kind of user.
    """Write in the row's history what the person did."""
    log_changes(user, [row], message)


def log_changes(user: Any, rows: QuerySet[Any] | list[Any], message: str) -> None:  # noqa: ANN401
    """Write the same in the history of every row."""
    every = list(rows)
    for start in range(0, len(every), _CHUNK):
        chunk: Any = every[start : start + _CHUNK]
        LogEntry.objects.log_actions(user.pk, chunk, CHANGE, change_message=message)
