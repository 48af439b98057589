"""Inlines of the rows that belong to a connection; the templates of its page render them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from connections.core.request.spec import Environment
from connections.forms import (
    EndpointFormSet,
    ExpectedResponseForm,
    RuleForm,
    TechnicalContactForm,
    make_endpoint_form,
)
from connections.models import Endpoint, ExpectedResponse, ResponseRule, TechnicalContact


class _OneBlankRow(admin.TabularInline):  # type: ignore[type-arg]
    """An inline with one blank row for people without JavaScript; with it, a button adds rows."""

    extra = 1
    template = "admin/edit_inline/tabular.html"


class EndpointInline(admin.TabularInline):  # type: ignore[type-arg]
    """Endpoints, one for each environment."""

    model = Endpoint
    formset = EndpointFormSet
    fields = ["environment", "url"]
    max_num = len(Environment)

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:  # noqa: ANN401
        # Built for each request, because a kind of authorization may have registered since.
        return super().get_formset(request, obj, **{**kwargs, "form": make_endpoint_form()})


class TechnicalContactInline(_OneBlankRow):
    """Technical contacts."""

    model = TechnicalContact
    form = TechnicalContactForm
    fields = ["name", "role", "email", "phone"]


class ResponseRuleInline(_OneBlankRow):
    """Response rules."""

    model = ResponseRule
    form = RuleForm
    fields = ["position", "status", "where", "path", "operator", "value", "ignore_case", "outcome"]


class ExpectedResponseInline(_OneBlankRow):
    """Expected responses."""

    model = ExpectedResponse
    form = ExpectedResponseForm
    fields = ["name", "status", "outcome", "headers", "body"]
