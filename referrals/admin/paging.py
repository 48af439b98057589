"""Pages of a table that grows without end: counted as far as people leaf, and no further."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

MAX_COUNTED = 10_000


class LimitedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to ten thousand; what lies behind is found by a filter, not by leafing."""

    def page(self, number: int | str) -> Page[Any]:
        """One page: first its keys alone, then its rows.

        An index holds the keys, so the database has no reason to leaf through the whole table in
        the hope that what it looks for comes soon.
        """
        page = super().page(number)
        rows = self.object_list
        if isinstance(rows, QuerySet) and isinstance(page.object_list, QuerySet):
            keys = list(page.object_list.values_list("pk", flat=True))
            page.object_list = rows.filter(pk__in=keys)
        return page

    @cached_property
    def is_limited(self) -> bool:
        """Whether there are more than were counted."""
        return self._seen > MAX_COUNTED

    @cached_property
    def count(self) -> int:
        return min(self._seen, MAX_COUNTED)

    @cached_property
    def _seen(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by()[: MAX_COUNTED + 1].count()
