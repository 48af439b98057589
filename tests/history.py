"""A helper that reads the history of a row."""

from __future__ import annotations

from django.db.models import Model

from connections.models import HistoryEntry


def history(row: Model) -> list[tuple[str, str, str]]:
    """Return the row's entries, the oldest first: user or login, door, message."""
    entries = HistoryEntry.objects.of(type(row), row.pk).order_by("pk").select_related("user")
    return [(entry.who, entry.door, entry.message) for entry in entries]
