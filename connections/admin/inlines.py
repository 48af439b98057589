"""The parts of a connection that are rows of their own, as the admin's inlines.

How they look on the connection's page is up to its templates.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from connections.core.spec import Environment
from connections.forms import (
    EndpointFormSet,
    ExpectedResponseForm,
    RuleForm,
    TechnicalContactForm,
    make_endpoint_form,
)
from connections.models import Endpoint, ExpectedResponse, ResponseRule, TechnicalContact


class _OneBlankRow(admin.TabularInline):  # type: ignore[type-arg]
    """One blank row stands ready for people without JavaScript; with it, rows are added."""

    extra = 1
    template = "admin/edit_inline/tabular.html"


class EndpointInline(admin.TabularInline):  # type: ignore[type-arg]
    """Where the CRM's systems are reached."""

    model = Endpoint
    formset = EndpointFormSet
    fields = ["environment", "url"]
    max_num = len(Environment)

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:  # noqa: ANN401
        # Made each time, because a kind of authorization may have registered since.
        return super().get_formset(request, obj, **{**kwargs, "form": make_endpoint_form()})


class TechnicalContactInline(_OneBlankRow):
    """Who answers questions."""

    model = TechnicalContact
    form = TechnicalContactForm
    fields = ["name", "role", "email", "phone"]


class ResponseRuleInline(_OneBlankRow):
    """What the answers mean."""

    model = ResponseRule
    form = RuleForm
    fields = ["position", "status", "where", "path", "operator", "value", "ignore_case", "outcome"]


class ExpectedResponseInline(_OneBlankRow):
    """What the documentation says."""

    model = ExpectedResponse
    form = ExpectedResponseForm
    fields = ["name", "status", "outcome", "headers", "body"]
