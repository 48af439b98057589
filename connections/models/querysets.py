"""Questions about connections as a whole; must not know what describes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from connections.models.scoping import ScopedQuerySet

if TYPE_CHECKING:
    from connections.models.connections import Connection  # noqa: F401 - named by the base class.


def _newest_test_is_good() -> Coalesce:
    """Only the newest counts: what went well yesterday says little after a failure today.

    When a test began says nothing about what it read, as a change may be saved meanwhile.
    """
    tests = apps.get_model("connections", "ConnectionTest").objects.filter(
        connection=OuterRef("pk"), connection_changed_at=OuterRef("changed_at")
    )
    newest = tests.order_by("-started_at", "-pk").values("is_good")[:1]
    return Coalesce(Subquery(newest), Value(value=False))


class ConnectionQuerySet(ScopedQuerySet["Connection"]):
    """Questions about connections."""

    def tested(self) -> ConnectionQuerySet:
        """Those whose newest test of what they are now was good; the others are untested."""
        return self.filter(_newest_test_is_good())

    def with_is_tested(self) -> ConnectionQuerySet:
        """With `is_tested` on each, so that a list asks once and not for every row."""
        return self.annotate(is_tested=_newest_test_is_good())

    def with_everything(self) -> ConnectionQuerySet:
        """With all rows that `spec` and the account's catalogue ask for, in a few queries."""
        return self.select_related("account").prefetch_related(
            "endpoints", "response_rules", "expected_responses", "account__custom_attributes"
        )
