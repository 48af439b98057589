"""The lines of a list of deliveries or referrals: what none shows is not read, and whose id is a
person's address shows it to those alone who may see customers' data."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from referrals.customer_data import shown_id
from referrals.models import Delivery, Referral


class ColumnLimitedChangeList(ChangeList):
    """A list whose admin names the columns that its lines need, as `line_columns`."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return rows.only(*self.model_admin.list_columns)  # type: ignore[attr-defined]

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows, each with the id that the person may see."""
        super().get_results(request)
        rows: list[Delivery | Referral] = list(self.result_list)
        for row in rows:
            referral = row.referral if isinstance(row, Delivery) else row
            row.shown_id = shown_id(referral, request.user)  # type: ignore[union-attr]
        self.result_list = rows
