"""The admin of intake keys: a new one is shown once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from connections.admin.scoped import AccountScoped
from connections.operations.history import log_changes
from referrals.models import IntakeKey
from referrals.models.intake_keys import issue_key


@admin.action(description="Revoke", permissions=["change"])
def revoke_keys(
    model_admin: admin.ModelAdmin[IntakeKey], request: HttpRequest, queryset: QuerySet[IntakeKey]
) -> None:
    """Let the keys open nothing from now on."""
    keys = list(queryset.filter(revoked_at=None))
    ids = [key.pk for key in keys]
    IntakeKey.objects.filter(pk__in=ids).update(revoked_at=timezone.now())
    log_changes(request.user, keys, "Revoked.")
    model_admin.message_user(request, f"Keys revoked: {len(keys)}.", messages.SUCCESS)


@admin.register(IntakeKey)
class IntakeKeyAdmin(AccountScoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """Intake keys."""

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
        sentence = f"The key is {token} – copy it now, it is never shown again."
        self.message_user(request, sentence, messages.WARNING)
