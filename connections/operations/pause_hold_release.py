"""Pause, hold and release connections."""

from __future__ import annotations

from django.db import transaction

from connections.core.personal_data import mask_email_addresses
from connections.models import Connection
from connections.operations.history import Actor, record_change, record_changes

_MAX_REASON_LENGTH = 500


def pause_connection(connection: Connection, *, by: Actor, reason: str = "") -> bool:
    """Set the state to paused until the connection is released, and write the history.

    Its deliveries stay pending. Return False, and change nothing, if it was not active.
    """
    return _stop(connection.pk, Connection.State.PAUSED, reason, by=by, message="Paused.")


def hold_connection(connection_id: int, *, by: Actor, reason: str) -> bool:
    """Set the state to held until a person releases the connection, and write the history.

    Workers call it when credentials were refused repeatedly (`referrals.throttling.recorder`).
    Return False, and change nothing, if it was not active.
    """
    # The reason may be a text of the CRM about a person, and everybody may read it.
    reason = mask_email_addresses(reason)[:_MAX_REASON_LENGTH]
    message = f"Held: {reason}" if reason else "Held."
    return _stop(connection_id, Connection.State.HELD, reason, by=by, message=message)


def release_connection(connection: Connection, *, by: Actor) -> bool:
    """Set the state to active and write the history; return False if it was active already."""
    # By the stored state: a worker may have held the connection since the caller read it.
    rows = Connection.objects.filter(pk=connection.pk).exclude(state=Connection.State.ACTIVE)
    with transaction.atomic():
        is_released = rows.update(state=Connection.State.ACTIVE, state_reason="") == 1
        if is_released:
            record_change(connection, by=by, message="Released.")
    return is_released


def _stop(connection_id: int, state: str, reason: str, *, by: Actor, message: str) -> bool:
    # One conditional update, so that of two workers only one gets True and notifies people.
    active = Connection.objects.filter(pk=connection_id, state=Connection.State.ACTIVE)
    with transaction.atomic():
        is_stopped = active.update(state=state, state_reason=reason[:_MAX_REASON_LENGTH]) == 1
        if is_stopped:
            record_changes(Connection, [connection_id], by=by, message=message)
    return is_stopped
