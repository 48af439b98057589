"""The admin of connection tests: a list to read."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from connections.admin.history import WithHistory
from connections.admin.readonly import ReadOnly
from connections.admin.scoped import AccountScoped
from connections.models import ConnectionTest
from connections.pages.connection_test import result_url
from connections.templatetags.outcomes import outcome_badge


@admin.register(ConnectionTest)
class ConnectionTestAdmin(ReadOnly, AccountScoped, WithHistory, admin.ModelAdmin):  # type: ignore[type-arg]
    """The list of connection tests; a single one redirects to its page under the connection."""

    list_display = [
        "started_at", "connection", "environment", "outcome_display", "is_good", "response_status",
        "duration_ms", "requested_by",
    ]  # fmt: skip
    list_filter = ["outcome", "is_good", "environment", "connection"]
    list_select_related = ["connection", "requested_by"]
    search_fields = ["connection__name"]

    @admin.display(description="Outcome", ordering="outcome")
    def outcome_display(self, test: ConnectionTest) -> SafeString | str:
        return outcome_badge(test.outcome)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: object = None  # noqa: ARG002
    ) -> HttpResponse:  # fmt: skip
        test = self.get_object(request, object_id)
        if test is None:
            self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(result_url(test.connection, test.pk))
