"""The admin of links: the history; links are made and ended on the Real-time Referral page."""

from __future__ import annotations

from django.contrib import admin

from connections.admin.readonly import ReadOnly
from connections.admin.scoped import AccountScoped
from connections.models import Link


@admin.register(Link)
class LinkAdmin(ReadOnly, AccountScoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who linked and unlinked what, and when."""

    list_display = [
        "campaign", "connection", "is_on", "linked_at", "linked_by", "unlinked_at", "unlinked_by",
    ]  # fmt: skip
    list_filter = ["connection", ("unlinked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["campaign", "connection", "linked_by", "unlinked_by"]
    search_fields = ["campaign__name", "connection__name"]

    @admin.display(description="On", boolean=True)
    def is_on(self, link: Link) -> bool:
        return link.is_active
