"""The admin of links: the history, and the actions that link and unlink campaigns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.models import Campaign, Connection, Link
from connections.services import LinkRefused, link_campaign, unlink_campaign


class ConnectionChoice(forms.Form):
    """Which connection an action means."""

    connection = forms.ModelChoiceField(queryset=Connection.objects.none())

    def __init__(self, data: Any, *, connections: QuerySet[Connection]) -> None:  # noqa: ANN401
        super().__init__(data)
        self.fields["connection"].queryset = connections  # type: ignore[attr-defined]


@admin.action(description="Link to a connection…", permissions=["change"])
def link_campaigns(
    model_admin: admin.ModelAdmin[Campaign], request: HttpRequest, queryset: QuerySet[Campaign]
) -> HttpResponse | None:
    """Ask for a connection of the campaigns' account, then link them all."""
    choices = Connection.objects.filter(account__campaigns__in=queryset).distinct()
    return _with_connection(model_admin, request, queryset, choices, "Link", link_campaign)


@admin.action(description="Unlink from a connection…", permissions=["change"])
def unlink_campaigns(
    model_admin: admin.ModelAdmin[Campaign], request: HttpRequest, queryset: QuerySet[Campaign]
) -> HttpResponse | None:
    """Ask for a connection that the campaigns are linked to, then unlink them all."""
    links = Link.objects.active().filter(campaign__in=queryset)
    choices = Connection.objects.filter(links__in=links).distinct()
    return _with_connection(model_admin, request, queryset, choices, "Unlink", unlink_campaign)


def _with_connection(
    model_admin: admin.ModelAdmin[Campaign],
    request: HttpRequest,
    campaigns: QuerySet[Campaign],
    choices: QuerySet[Connection],
    verb: str,
    change: Callable[..., Link],
) -> HttpResponse | None:
    form = ConnectionChoice(request.POST if "apply" in request.POST else None, connections=choices)
    if form.is_valid():
        connection = form.cleaned_data["connection"]
        for campaign in campaigns.select_related("account"):
            _change_one(model_admin, request, campaign, connection, verb, change)
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{verb} campaigns",
        "verb": verb,
        "form": form,
        "campaigns": campaigns,
        "has_choices": choices.exists(),
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
        "opts": model_admin.model._meta,
    }
    return TemplateResponse(request, "admin/connections/campaign/choose_connection.html", context)


def _change_one(
    model_admin: admin.ModelAdmin[Campaign],
    request: HttpRequest,
    campaign: Campaign,
    connection: Connection,
    verb: str,
    change: Callable[..., Link],
) -> None:
    try:
        change(campaign, connection=connection, by=request.user)
    except LinkRefused as refusal:
        model_admin.message_user(request, str(refusal), messages.ERROR)
    else:
        sentence = f"{verb}ed: {campaign} – {connection}."
        model_admin.message_user(request, sentence, messages.SUCCESS)
        model_admin.log_change(request, campaign, sentence)


@admin.register(Link)
class LinkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The history of links; links are made and ended by the campaigns' actions."""

    list_display = [
        "campaign", "connection", "is_on", "linked_at", "linked_by", "unlinked_at", "unlinked_by",
    ]  # fmt: skip
    list_filter = ["connection", ("unlinked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["campaign", "connection", "linked_by", "unlinked_by"]
    search_fields = ["campaign__name", "connection__name"]

    @admin.display(description="On", boolean=True)
    def is_on(self, link: Link) -> bool:
        return link.is_active

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Link | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Link | None = None) -> bool:  # noqa: ARG002
        return False
