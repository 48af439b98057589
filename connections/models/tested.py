"""What makes a connection "tested": its newest test since its last change was good."""

from __future__ import annotations

from django.db.models import Model, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce


def newest_test_is_good(connections: type[Model]) -> Coalesce:
    """Return an expression on connections: whether the newest test of today's content was good.

    Only the newest counts, since a good test of yesterday says little after a failure today. Tests
    are matched by the `changed_at` that they read, since a change may be saved while one runs.
    """
    newest = (
        connections._default_manager.filter(
            pk=OuterRef("pk"), tests__connection_changed_at=OuterRef("changed_at")
        )
        .order_by("-tests__started_at", "-tests__pk")
        .values("tests__is_good")[:1]
    )
    return Coalesce(Subquery(newest), Value(value=False))
