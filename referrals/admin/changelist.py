"""The change list of deliveries and referrals."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from referrals.customer_data import display_id
from referrals.models import Delivery, Referral


class ColumnLimitedChangeList(ChangeList):
    """A change list that loads only the model admin's `list_columns`.

    E-mail addresses in external ids are masked for users who may not see customers' data.
    """

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return rows.only(*self.model_admin.list_columns)  # type: ignore[attr-defined]

    def get_results(self, request: HttpRequest) -> None:
        """Set `display_id` on the page's rows: the external id as the user may see it."""
        super().get_results(request)
        rows: list[Delivery | Referral] = list(self.result_list)
        for row in rows:
            referral = row.referral if isinstance(row, Delivery) else row
            row.display_id = display_id(referral, request.user)  # type: ignore[union-attr]
        self.result_list = rows
