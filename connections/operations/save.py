"""Save a connection from a spec: one of a file, a preset or a pasted command."""

from __future__ import annotations

from django.db import transaction

from connections.core.spec import ConnectionSpec
from connections.mapping.to_rows import store_connection
from connections.models import Account, Connection
from connections.operations.history import Actor, record_change


@transaction.atomic
def save_connection(
    spec: ConnectionSpec, *, account: Account, by: Actor, source: str
) -> Connection:
    """Create or replace the account's connection of this name, and return it.

    The history gets an entry that names `source`; saving the same spec twice changes nothing. Raise
    DescriptionError or ValidationError if the spec is wrong.
    """
    existing = Connection.objects.filter(account=account, name=spec.name).first()
    connection = store_connection(spec, account=account)
    if existing is None:
        record_change(connection, by=by, message=f"Added from {source}.")
    elif connection.changed_at != existing.changed_at:
        record_change(connection, by=by, message=f"Changed from {source}.")
    return connection
