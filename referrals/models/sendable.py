"""The condition under which a connection may be sent to; claims, status and pages ask it here."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from connections.models import Connection


def is_sendable(now: datetime, *, path: str = "") -> Q:
    """Return the condition that a connection is active and its breaker not open.

    `path` is the way from the filtered model to the connection, such as `connection__`.
    """
    is_active = Q(**{f"{path}state": Connection.State.ACTIVE})
    is_closed = Q(**{f"{path}breaker__open_until": None})
    is_half_open = Q(**{f"{path}breaker__open_until__lte": now})
    return is_active & (is_closed | is_half_open)


def sendable_connections(now: datetime) -> QuerySet[Connection]:
    """Return the connections that may be sent to now, but for their limits."""
    return Connection.objects.filter(is_sendable(now))
