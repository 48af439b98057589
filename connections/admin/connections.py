"""The admin of connections: the list, and the page on which one is described and tested.

The page's own parts (preview, doors, tests) are in `connections.pages`; here they get addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from connections.admin.inlines import (
    EndpointInline,
    ExpectedResponseInline,
    ResponseRuleInline,
    TechnicalContactInline,
)
from connections.admin.scoped import AccountScoped
from connections.forms import make_connection_form
from connections.forms.changed_fields import changed_columns, is_described_anew
from connections.forms.tabs import tabs
from connections.models import Connection
from connections.operations.rules_from_tests import number_rules, touch
from connections.pages import (
    change_form,
    connection_test,
    connection_test_result,
    new_connection,
    preview,
)
from connections.templatetags.outcomes import outcome_badge

Page = tuple[str, Callable[..., HttpResponse], str]
"""The end of an address, what answers there, and the end of its name."""


@admin.action(description="Test", permissions=["change"])
def test_connections(
    model_admin: admin.ModelAdmin[Connection], request: HttpRequest, queryset: QuerySet[Connection]
) -> None:
    """Let a worker send the sample attributes of each."""
    connection_test.start_tests(model_admin, request, queryset.with_everything())  # type: ignore[attr-defined]


class TestedFilter(admin.SimpleListFilter):
    """Connections that have a good test of what they are now, and the others."""

    title = "tested"
    parameter_name = "tested"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401, ARG002
        return [("yes", "Tested"), ("no", "Untested")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        return queryset.filter(is_tested=self.value() == "yes") if self.value() else queryset


@admin.register(Connection)
class ConnectionAdmin(AccountScoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """Connections."""

    list_display = [
        "name", "account", "shown_state", "shown_tested", "link_count", "changed_at",
    ]  # fmt: skip
    list_filter = ["state", TestedFilter, "account", "encoding", "authorization_kind"]
    list_select_related = ["account"]
    search_fields = ["name", "account__name"]
    actions = [test_connections]
    change_list_template = "connections/connection_list.html"
    change_form_template = "connections/change_form.html"
    inlines = [
        TechnicalContactInline,
        EndpointInline,
        ResponseRuleInline,
        ExpectedResponseInline,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        links = Count("links", filter=Q(links__unlinked_at=None))
        return super().get_queryset(request).with_is_tested().annotate(link_count=links)  # type: ignore[attr-defined, no-any-return]

    @admin.display(description="State", ordering="state")
    def shown_state(self, connection: Connection) -> SafeString | str:
        return outcome_badge(connection.state)

    @admin.display(description="Test", ordering="is_tested")
    def shown_tested(self, connection: Connection) -> SafeString | str:
        return outcome_badge("tested" if connection.is_tested else "untested")  # type: ignore[attr-defined]

    @admin.display(description="Campaigns", ordering="link_count")
    def link_count(self, connection: Connection) -> int:
        return connection.link_count  # type: ignore[attr-defined, no-any-return]

    @admin.display(description="Authorization")
    def shown_authorization(self, connection: Connection) -> str:
        settings = connection.authorization_settings.items()
        shown = ", ".join(f"{name}: {value}" for name, value in settings if value)
        return " – ".join(filter(None, [connection.get_authorization_kind_display(), shown]))

    @admin.display(description="State")
    def shown_state_and_reason(self, connection: Connection) -> str:
        return " – ".join(filter(None, [connection.get_state_display(), connection.state_reason]))

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:  # noqa: ANN401
        # Asked each time, because a kind of authorization may have registered since.
        if obj is None or self.has_change_permission(request, obj):
            return [(tab.title, {"fields": list(tab.fields)}) for tab in tabs()]
        return change_form.FIELDSETS_TO_READ

    def get_form(self, *args: Any, **kwargs: Any) -> type[ModelForm[Connection]]:  # noqa: ANN401
        return super().get_form(*args, **{**kwargs, "form": make_connection_form()})

    def get_urls(self) -> list[URLPattern]:
        read: list[Page] = [
            ("add/api/", new_connection.doors, "doors"),
            ("add/api/preset/<slug:slug>/", new_connection.from_preset, "preset"),
            ("add/api/curl/", new_connection.from_command, "curl"),
            ("<path:object_id>/test/<slug:job_id>/", connection_test.wait, "wait"),
            ("<path:object_id>/tests/<int:test_id>/", connection_test_result.result, "result"),
        ]
        change: list[Page] = [
            ("preview/", preview.preview, "preview_new"),
            ("<path:object_id>/preview/", preview.preview, "preview"),
            ("<path:object_id>/test/", connection_test.start, "test"),
            ("<path:object_id>/test/<slug:job_id>/now/", connection_test.send_now, "send_now"),
            (
                "<path:object_id>/tests/<int:test_id>/rule/",
                connection_test_result.make_rule,
                "make_rule",
            ),
            (
                "<path:object_id>/tests/<int:test_id>/keep/",
                connection_test_result.keep_expected,
                "keep",
            ),
        ]
        own = [
            *(self._at(route, partial(view, self), name) for route, view, name in read),
            # Only posts change anything: they carry the proof that the page itself sent them.
            *(
                self._at(route, require_POST(partial(view, self)), name)
                for route, view, name in change
            ),
        ]
        return [*own, *super().get_urls()]

    def _at(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        return path(route, self.admin_site.admin_view(view), name=f"connections_connection_{name}")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # noqa: ANN401
        return super().changelist_view(request, {"title": "Connections", **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None  # noqa: ANN401
    ) -> HttpResponse:  # fmt: skip
        # People come here by "Add connection"; the empty form is one of the doors behind.
        if request.method == "GET" and "empty" not in request.GET:
            return new_connection.kinds(self, request)
        return super().add_view(request, form_url, extra_context)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401
        response = super().changeform_view(request, *args, **kwargs)
        # Only here is committed what was saved; it is read again, as a worker would.
        if isinstance(response, connection_test.SavedToTest):
            return connection_test.start(self, request, str(response.connection.pk))
        return response

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 # fmt: skip
        obj = kwargs.get("obj")
        can_change = obj is None or self.has_change_permission(request, obj)
        context.update(change_form.page_context(context, obj, can_change=can_change))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        if not change:
            super().save_model(request, obj, form, change)
            return
        # Only what the person changed: a worker may have held the connection meanwhile.
        columns = changed_columns(form)
        if columns:
            obj.save(update_fields=columns)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        super().save_related(request, form, formsets, change)
        number_rules(form.instance)
        if change and is_described_anew(formsets):
            touch(form.instance)

    def response_change(self, request: HttpRequest, obj: Connection) -> HttpResponse:
        response = super().response_change(request, obj)
        return connection_test.SavedToTest(obj) if "_test" in request.POST else response

    def response_add(
        self, request: HttpRequest, obj: Connection, post_url_continue: str | None = None
    ) -> HttpResponse:
        response = super().response_add(request, obj, post_url_continue)
        return connection_test.SavedToTest(obj) if "_test" in request.POST else response

    def response_post_save_change(
        self, request: HttpRequest, obj: Connection  # noqa: ARG002
    ) -> HttpResponseRedirect:  # fmt: skip
        # Back to the same page, where Test is: people test and change by turns.
        return HttpResponseRedirect(obj.get_absolute_url())

    def response_post_save_add(
        self, request: HttpRequest, obj: Connection  # noqa: ARG002
    ) -> HttpResponseRedirect:  # fmt: skip
        return HttpResponseRedirect(obj.get_absolute_url())
