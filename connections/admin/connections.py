"""The admin of connections: the list, the change page, and the routes to `connections.pages`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from connections.admin.history import WithHistory
from connections.admin.inlines import (
    EndpointInline,
    ExpectedResponseInline,
    ResponseRuleInline,
    TechnicalContactInline,
)
from connections.admin.scoped import AccountScoped
from connections.forms import make_connection_form
from connections.forms.changed_fields import changed_columns, invalidates_tests
from connections.forms.tabs import tabs
from connections.models import Connection
from connections.operations.changes import number_rules, touch
from connections.pages import (
    change_form,
    connection_test,
    connection_test_result,
    new_connection,
    preview,
)
from connections.templatetags.outcomes import outcome_badge

Route = tuple[str, Callable[..., HttpResponse], str]
"""A URL pattern, its view, and the end of its name."""


@admin.action(description="Test", permissions=["change"])
def test_connections(
    model_admin: admin.ModelAdmin[Connection],  # noqa: ARG001 - Django's.
    request: HttpRequest,
    queryset: QuerySet[Connection],
) -> None:
    """Enqueue a test of each connection."""
    selected = Connection.objects.filter(pk__in=queryset.values("pk")).with_everything()
    connection_test.start_tests(request, selected)


class TestedFilter(admin.SimpleListFilter):
    """A list filter: connections with a good test since their last change, and the others."""

    title = "tested"
    parameter_name = "tested"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]  # noqa: ARG002
    ) -> list[tuple[str, str]]:  # fmt: skip
        return [("yes", "Tested"), ("no", "Untested")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        return queryset.filter(is_tested=self.value() == "yes") if self.value() else queryset


@admin.register(Connection)
class ConnectionAdmin(AccountScoped, WithHistory, admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin of connections."""

    list_display = [
        "name", "account", "state_display", "test_display", "link_count", "changed_at",
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
    def state_display(self, connection: Connection) -> SafeString | str:
        return outcome_badge(connection.state)

    @admin.display(description="Test", ordering="is_tested")
    def test_display(self, connection: Connection) -> SafeString | str:
        return outcome_badge("tested" if connection.is_tested else "untested")

    @admin.display(description="Campaigns", ordering="link_count")
    def link_count(self, connection: Connection) -> int:
        return connection.link_count  # type: ignore[attr-defined, no-any-return]

    @admin.display(description="Authorization")
    def authorization_summary(self, connection: Connection) -> str:
        settings = connection.authorization_settings.items()
        values = ", ".join(f"{name}: {value}" for name, value in settings if value)
        return " – ".join(filter(None, [connection.get_authorization_kind_display(), values]))

    @admin.display(description="State")
    def state_summary(self, connection: Connection) -> str:
        return " – ".join(filter(None, [connection.get_state_display(), connection.state_reason]))

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:  # noqa: ANN401
        # Built for each request, because a kind of authorization may have registered since.
        if obj is None or self.has_change_permission(request, obj):
            return [(tab.title, {"fields": list(tab.fields)}) for tab in tabs()]
        return change_form.READONLY_FIELDSETS

    def get_form(self, *args: Any, **kwargs: Any) -> type[ModelForm[Connection]]:  # noqa: ANN401
        return super().get_form(*args, **{**kwargs, "form": make_connection_form()})

    def get_urls(self) -> list[URLPattern]:
        get_routes: list[Route] = [
            ("add/api/", new_connection.choose_source, "sources"),
            ("add/api/preset/<slug:slug>/", new_connection.from_preset, "preset"),
            ("add/api/curl/", new_connection.from_command, "curl"),
            ("<path:object_id>/test/<slug:job_id>/", connection_test.wait, "wait"),
            ("<path:object_id>/tests/<int:test_id>/", connection_test_result.result, "result"),
        ]
        post_routes: list[Route] = [
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
        return [
            *(self._path(route, partial(view, self), name) for route, view, name in get_routes),
            # Whatever changes something is a POST, which needs a CSRF token.
            *(
                self._path(route, require_POST(partial(view, self)), name)
                for route, view, name in post_routes
            ),
            *super().get_urls(),
        ]

    def _path(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        return path(route, self.admin_site.admin_view(view), name=f"connections_connection_{name}")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Connections", **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # "Add connection" leads here; the empty form is one of several ways to begin.
        if request.method == "GET" and "empty" not in request.GET:
            return new_connection.choose_kind(self, request)
        return super().add_view(request, form_url, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any  # noqa: ANN401
    ) -> HttpResponse:  # fmt: skip
        obj = kwargs.get("obj")
        can_change = obj is None or self.has_change_permission(request, obj)
        context.update(change_form.page_context(context, obj, can_change=can_change))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Connection, form: ModelForm[Connection], change: bool  # noqa: FBT001
    ) -> None:  # fmt: skip
        if not change:
            super().save_model(request, obj, form, change)
            return
        # Only the columns that the form changed: a worker may have held the connection since.
        columns = changed_columns(form)
        if columns:
            obj.save(update_fields=columns)

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm[Connection],
        formsets: Iterable[BaseInlineFormSet[Any, Any, Any]],
        change: bool,  # noqa: FBT001 - as its base.
    ) -> None:
        super().save_related(request, form, formsets, change)
        number_rules(form.instance)
        if change and invalidates_tests(formsets):
            touch(form.instance)

    def response_change(self, request: HttpRequest, obj: Connection) -> HttpResponse:
        response = super().response_change(request, obj)
        return self._start_test(request, obj) if "_test" in request.POST else response

    def response_add(
        self, request: HttpRequest, obj: Connection, post_url_continue: str | None = None
    ) -> HttpResponse:
        response = super().response_add(request, obj, post_url_continue)
        return self._start_test(request, obj) if "_test" in request.POST else response

    def _start_test(self, request: HttpRequest, saved: Connection) -> HttpResponse:
        # Inside the admin's transaction: the test is enqueued after the commit.
        return connection_test.start(self, request, str(saved.pk))

    def response_post_save_change(
        self, request: HttpRequest, obj: Connection  # noqa: ARG002
    ) -> HttpResponseRedirect:  # fmt: skip
        # Back to the same page with the Test button: people change and test in turns.
        return HttpResponseRedirect(obj.get_absolute_url())

    def response_post_save_add(
        self, request: HttpRequest, obj: Connection  # noqa: ARG002
    ) -> HttpResponseRedirect:  # fmt: skip
        return HttpResponseRedirect(obj.get_absolute_url())
