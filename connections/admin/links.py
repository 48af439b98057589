"""The admin of links: a list to read; the Real-time Referral page links and unlinks."""

from __future__ import annotations

from django.contrib import admin

from connections.admin.history import WithHistory
from connections.admin.readonly import ReadOnly
from connections.admin.scoped import AccountScoped
from connections.models import Link


@admin.register(Link)
class LinkAdmin(ReadOnly, AccountScoped, WithHistory, admin.ModelAdmin):  # type: ignore[type-arg]
    """All links, with the users and times of linking and unlinking."""

    list_display = [
        "campaign", "connection", "is_on", "linked_at", "linked_by", "unlinked_at", "unlinked_by",
    ]  # fmt: skip
    list_filter = ["connection", ("unlinked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["campaign", "connection", "linked_by", "unlinked_by"]
    search_fields = ["campaign__name", "connection__name"]

    @admin.display(description="On", boolean=True)
    def is_on(self, link: Link) -> bool:
        return link.is_active
