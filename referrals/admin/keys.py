"""The admin of intake keys; a new key is shown once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from connections.admin.history import WithHistory
from connections.admin.scoped import AccountScoped
from connections.operations.history import Actor
from referrals.models import IntakeKey
from referrals.models.intake_keys import issue_key
from referrals.operations.revoke_keys import revoke


@admin.action(description="Revoke", permissions=["change"])
def revoke_keys(
    model_admin: admin.ModelAdmin[IntakeKey], request: HttpRequest, queryset: QuerySet[IntakeKey]
) -> None:
    """Revoke the selected keys."""
    count = revoke(queryset, by=Actor.of_request(request))
    model_admin.message_user(request, f"Keys revoked: {count}.", messages.SUCCESS)


@admin.register(IntakeKey)
class IntakeKeyAdmin(AccountScoped, WithHistory, admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin of intake keys."""

    list_display = ["name", "account", "start", "created_at", "revoked_at"]
    list_filter = ["account"]
    list_select_related = ["account"]
    search_fields = ["name", "start"]
    fields = ["account", "name"]
    autocomplete_fields = ["account"]
    actions = [revoke_keys]

    def save_model(self, request: HttpRequest, obj: IntakeKey, form: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        if change:
            super().save_model(request, obj, form, change)
            return
        token = issue_key(obj)
        text = f"The key is {token} – copy it now, it is never shown again."
        self.message_user(request, text, messages.WARNING)
