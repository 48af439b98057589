"""Pause, hold and release connections."""

from __future__ import annotations

from connections.core.personal_data import without_addresses
from connections.models import Connection


def pause_connection(connection: Connection, *, reason: str = "") -> bool:
    """Send nothing until it is released; what comes in waits. False if it was not active."""
    return _change_state(connection.pk, Connection.State.ACTIVE, Connection.State.PAUSED, reason)


def hold_connection(connection_id: int, *, reason: str) -> bool:
    """Send nothing until a person has looked; False if it was not active already."""
    return _change_state(connection_id, Connection.State.ACTIVE, Connection.State.HELD, reason)


def release_connection(connection: Connection) -> bool:
    """Send again; False if nothing kept it from that."""
    # Whatever the caller read before: a worker may have held it since.
    rows = Connection.objects.filter(pk=connection.pk).exclude(state=Connection.State.ACTIVE)
    return rows.update(state=Connection.State.ACTIVE, state_reason="") == 1


def _change_state(connection_id: int, before: str, after: str, reason: str) -> bool:
    # One conditional update, so that of two workers with the same bad news only one tells it.
    rows = Connection.objects.filter(pk=connection_id, state=before)
    # The reason may be the CRM's own words about a person, and everybody reads it.
    return rows.update(state=after, state_reason=without_addresses(reason)[:500]) == 1
