"""The admin of links: the history, and the actions that link and unlink campaigns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.admin.readonly import ReadOnly
from connections.models import Campaign, Connection, Link
from connections.services import LinkRefused, link_campaign, unlink_campaign


class ConnectionChoice(forms.Form):
    """Which connection an action means."""

    connection = forms.ModelChoiceField(queryset=Connection.objects.none())

    def __init__(self, data: Any, *, connections: QuerySet[Connection]) -> None:  # noqa: ANN401
        super().__init__(data)
        self.fields["connection"].queryset = connections  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class _Change:
    """What an action does to each campaign once a person has chosen the connection."""

    verb: str
    apply: Callable[..., Link]
    choices: QuerySet[Connection]


@admin.action(description="Link to a connection…", permissions=["change"])
def link_campaigns(
    model_admin: admin.ModelAdmin[Campaign], request: HttpRequest, queryset: QuerySet[Campaign]
) -> HttpResponse | None:
    """Ask for a connection of the campaigns' account, then link them all."""
    choices = Connection.objects.filter(account__campaigns__in=queryset).distinct()
    change = _Change("Link", link_campaign, choices)
    return _ask_and_change(model_admin, request, queryset, change)


@admin.action(description="Unlink from a connection…", permissions=["change"])
def unlink_campaigns(
    model_admin: admin.ModelAdmin[Campaign], request: HttpRequest, queryset: QuerySet[Campaign]
) -> HttpResponse | None:
    """Ask for a connection that the campaigns are linked to, then unlink them all."""
    links = Link.objects.active().filter(campaign__in=queryset)
    choices = Connection.objects.filter(links__in=links).distinct()
    change = _Change("Unlink", unlink_campaign, choices)
    return _ask_and_change(model_admin, request, queryset, change)


def _ask_and_change(
    model_admin: admin.ModelAdmin[Campaign],
    request: HttpRequest,
    campaigns: QuerySet[Campaign],
    change: _Change,
) -> HttpResponse | None:
    given = request.POST if "apply" in request.POST else None
    form = ConnectionChoice(given, connections=change.choices)
    if form.is_valid():
        for campaign in campaigns.select_related("account"):
            sentence, level = _change_one(
                campaign, form.cleaned_data["connection"], change, request
            )
            model_admin.message_user(request, sentence, level)
            if level == messages.SUCCESS:
                model_admin.log_change(request, campaign, sentence)
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{change.verb} campaigns",
        "verb": change.verb,
        "form": form,
        "campaigns": campaigns,
        "has_choices": change.choices.exists(),
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
        "opts": model_admin.model._meta,
    }
    return TemplateResponse(request, "admin/connections/campaign/choose_connection.html", context)


def _change_one(
    campaign: Campaign, connection: Connection, change: _Change, request: HttpRequest
) -> tuple[str, int]:
    """What to tell the person, and how loud."""
    try:
        change.apply(campaign, connection=connection, by=request.user)
    except LinkRefused as refusal:
        return str(refusal), messages.ERROR
    return f"{change.verb}ed: {campaign} – {connection}.", messages.SUCCESS


@admin.register(Link)
class LinkAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
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
