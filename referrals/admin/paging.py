"""Pages of a table that grows without end: counted as far as people leaf, and no further."""

from __future__ import annotations

from functools import cached_property

from django.core.paginator import Paginator
from django.db.models import QuerySet

MOST_COUNTED = 10_000


class LimitedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to ten thousand; what lies behind is found by a filter, not by leafing."""

    @cached_property
    def is_limited(self) -> bool:
        """Whether there are more than were counted."""
        return self._seen > MOST_COUNTED

    @cached_property
    def count(self) -> int:
        return min(self._seen, MOST_COUNTED)

    @cached_property
    def _seen(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by()[: MOST_COUNTED + 1].count()
