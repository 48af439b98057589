"""The one RQ job of this app."""

from __future__ import annotations

from django.contrib.auth.models import User

from connections.models import Connection
from connections.operations.connection_tests import send_test


def test_connection(connection_id: int, user_id: int | None) -> int:
    """Test a connection for a user, store the ConnectionTest and return its id."""
    connection = Connection.objects.with_everything().get(pk=connection_id)
    user = None if user_id is None else User.objects.filter(pk=user_id).first()
    return send_test(connection, user).pk
