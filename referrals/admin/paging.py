"""Pagination of large tables without counting all of their rows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

MAX_COUNT = 10_000


class LimitedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most MAX_COUNT rows; users find older ones with a filter."""

    def page(self, number: int | str) -> Page[Any]:
        """Return a page; query its keys first, then its rows.

        An index has the keys, so the planner does not scan the whole table in the hope of finding
        enough matching rows soon.
        """
        page = super().page(number)
        rows = self.object_list
        if isinstance(rows, QuerySet) and isinstance(page.object_list, QuerySet):
            keys = list(page.object_list.values_list("pk", flat=True))
            page.object_list = rows.filter(pk__in=keys)
        return page

    @cached_property
    def is_limited(self) -> bool:
        """Whether there are more rows than were counted."""
        return self._count > MAX_COUNT

    @cached_property
    def count(self) -> int:
        return min(self._count, MAX_COUNT)

    @cached_property
    def _count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by()[: MAX_COUNT + 1].count()
