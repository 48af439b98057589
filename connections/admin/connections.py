"""The admin of connections: everything that describes one on one page, and the Test action."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelForm, Textarea, TextInput
from django.http import HttpRequest

from connections.admin.exchanges import EXCHANGE_FIELDS, ExchangeDisplay
from connections.admin.readonly import ReadOnly
from connections.admin.scoped import AccountScoped
from connections.forms import authorization_field_names, make_connection_form
from connections.http.errors import DescriptionError
from connections.http.spec import Environment
from connections.models import (
    Connection,
    ConnectionTest,
    Endpoint,
    ExpectedResponse,
    ResponseRule,
    TechnicalContact,
)
from connections.services import run_test

_ONE_LINE = {models.TextField: {"widget": TextInput(attrs={"class": "vTextField"})}}


class EndpointInline(admin.TabularInline):  # type: ignore[type-arg]
    """Where the CRM's systems are reached."""

    model = Endpoint
    extra = 1
    max_num = len(Environment)


class TechnicalContactInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who answers questions."""

    model = TechnicalContact
    extra = 0


class ResponseRuleInline(admin.TabularInline):  # type: ignore[type-arg]
    """What the answers mean."""

    model = ResponseRule
    extra = 0
    formfield_overrides = {models.TextField: {"widget": Textarea(attrs={"rows": 1, "cols": 30})}}


class ExpectedResponseInline(admin.StackedInline):  # type: ignore[type-arg]
    """What the documentation says."""

    model = ExpectedResponse
    extra = 0
    formfield_overrides = {models.TextField: {"widget": Textarea(attrs={"rows": 2, "cols": 60})}}


@admin.action(description="Test", permissions=["change"])
def test_connections(
    model_admin: admin.ModelAdmin[Connection], request: HttpRequest, queryset: QuerySet[Connection]
) -> None:
    """Send the sample attributes to the testing endpoint, or the next best one, and tell."""
    for connection in queryset.with_everything():  # type: ignore[attr-defined]
        try:
            test = run_test(connection, by=request.user)  # type: ignore[arg-type]
        except DescriptionError as error:
            model_admin.message_user(request, f"{connection}: {error}", messages.ERROR)
            continue
        level = messages.SUCCESS if test.is_good else messages.WARNING
        status = test.response_status or test.error_code
        sentence = f"{connection} ({test.environment}): {test.outcome}, {status}. {test.reason}"
        model_admin.message_user(request, sentence, level)
        model_admin.log_change(request, connection, f"Tested: {test.outcome}.")


def _fieldsets() -> list[tuple[str | None, list[str]]]:
    return [
        (None, ["account", "name", "documentation", "state", "state_reason"]),
        ("Endpoint", ["method", "idempotency_header"]),
        ("Authorization", ["authorization_kind", *authorization_field_names(), "credentials"]),
        ("Headers", ["headers"]),
        ("Body", ["encoding", "document", *_BODY_SETTINGS]),
        ("Response handling", ["reason_path", "reference_path", *_WAIT_SETTINGS, "on_unknown"]),
        ("Settings", ["test_environment", "sample_attributes", "expected_test_outcome", "limits"]),
    ]


_BODY_SETTINGS = ("required_attributes", "empty_values", "content_type")
_WAIT_SETTINGS = ("wait_where", "wait_path", "wait_unit")


@admin.register(Connection)
class ConnectionAdmin(AccountScoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """Connections."""

    list_display = [
        "name",
        "account",
        "state",
        "method",
        "encoding",
        "authorization_kind",
        "changed_at",
    ]
    list_filter = ["state", "account", "encoding", "authorization_kind"]
    list_select_related = ["account"]
    search_fields = ["name"]
    autocomplete_fields = ["account"]
    actions = [test_connections]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = [
        EndpointInline,
        TechnicalContactInline,
        ResponseRuleInline,
        ExpectedResponseInline,
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:  # noqa: ANN401, ARG002
        # Asked each time, because a kind of authorization may have registered since.
        return [(title, {"fields": fields}) for title, fields in _fieldsets()]

    def get_form(self, *args: Any, **kwargs: Any) -> type[ModelForm[Connection]]:  # noqa: ANN401 - passed through.
        kwargs["form"] = make_connection_form()
        return super().get_form(*args, **kwargs)


@admin.register(ConnectionTest)
class ConnectionTestAdmin(ReadOnly, ExchangeDisplay, AccountScoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """The tests that were made, to read."""

    list_display = [
        "connection",
        "environment",
        "outcome",
        "response_status",
        "duration_ms",
        "started_at",
        "requested_by",
    ]
    list_filter = ["outcome", "environment", "connection"]
    list_select_related = ["connection", "requested_by"]
    search_fields = ["connection__name"]
    fields = ["connection", "environment", "requested_by", *EXCHANGE_FIELDS]
