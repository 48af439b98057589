"""A mixin for every admin: write form changes to the history, and show a row's history."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.models import HistoryEntry
from connections.operations.history import Actor, record_change

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:
    _Base = object

_ENTRIES_PER_PAGE = 100


class WithHistory(_Base):
    """Replaces Django's LogEntry, which requires a user, by HistoryEntry in Django's hooks."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override] # noqa: ANN401
        self.log_change(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override] # noqa: ANN401
        if message:
            record_change(obj, by=Actor.of_request(request), message=_to_sentence(message))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:  # type: ignore[override]
        # In the account's history, since a deleted row has no page that could show its own.
        name = self.opts.verbose_name
        for row in queryset:
            message = f"Deleted the {name} “{row}”."
            record_change(
                getattr(row, "account", row), by=Actor.of_request(request), message=message
            )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Render the row's history; raise Http404 or PermissionDenied."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        entries = HistoryEntry.objects.of(self.model, row.pk).select_related("user")
        context = {
            **self.admin_site.each_context(request),
            "title": f"History: {row}",
            "module_name": str(self.opts.verbose_name_plural).capitalize(),
            "object": row,
            "opts": self.opts,
            "entries": Paginator(entries, _ENTRIES_PER_PAGE).get_page(request.GET.get("page")),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "connections/history.html", context)


def _to_sentence(message: Any) -> str:  # noqa: ANN401 - a text, or Django's list of changes.
    """Return the message, or Django's sentence about what has changed in a form."""
    if isinstance(message, str):
        return message
    return str(LogEntry(change_message=json.dumps(message)).get_change_message())
