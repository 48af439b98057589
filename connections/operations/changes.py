"""Record on a connection that rows which belong to it have changed."""

from __future__ import annotations

from connections.models import Connection


def touch(connection: Connection) -> None:
    """Set the connection's `changed_at` to now, so that earlier tests no longer count."""
    connection.save(update_fields=["changed_at"])


def number_rules(connection: Connection) -> None:
    """Store the positions 1, 2, 3 … for the connection's rules in their present order."""
    for number, row in enumerate(connection.response_rules.all(), start=1):
        if row.position != number:
            row.position = number
            row.save(update_fields=["position"])
