"""The admin of referrals and the delivery log: to read, never to change."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections.admin.exchanges import EXCHANGE_FIELDS, ExchangeDisplay
from connections.admin.readonly import ReadOnly
from connections.admin.scoped import AccountScoped
from referrals.models import Delivery, DeliveryAttempt, Referral


class DeliveryInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Where a referral went."""

    model = Delivery
    fields = ["connection", "status", "outcome", "due_at", "settled_at"]
    show_change_link = True


@admin.register(Referral)
class ReferralAdmin(ReadOnly, AccountScoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """Referrals as they were accepted."""

    list_display = ["external_id", "campaign", "accepted_at", "occurred_at"]
    list_filter = ["campaign"]
    list_select_related = ["campaign"]
    search_fields = ["external_id"]
    show_full_result_count = False
    inlines = [DeliveryInline]


class DeliveryAttemptInline(ReadOnly, ExchangeDisplay, admin.StackedInline):  # type: ignore[type-arg]
    """The exchanges of a delivery."""

    model = DeliveryAttempt
    fields = ["cause", *EXCHANGE_FIELDS]
    readonly_fields = ["shown_request", "shown_response"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, AccountScoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """The delivery log."""

    list_display = [
        "external_id",
        "connection",
        "shown_status",
        "outcome",
        "attempt_number",
        "due_at",
        "created_at",
    ]
    list_filter = ["status", "outcome", "connection", "created_at"]
    list_select_related = ["referral", "connection"]
    search_fields = ["referral__external_id"]
    show_full_result_count = False
    fields = [
        "referral", "connection", "status", "outcome", "attempt_number", "step", "due_at",
        "claimed_at", "created_at", "settled_at",
    ]  # fmt: skip
    inlines = [DeliveryAttemptInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).defer("referral__attributes", "connection__document")

    @admin.display(description="External ID", ordering="referral__external_id")
    def external_id(self, delivery: Delivery) -> str:
        return delivery.referral.external_id

    @admin.display(description="Status", ordering="status")
    def shown_status(self, delivery: Delivery) -> SafeString:
        return format_html('<span class="status">{}</span>', delivery.get_status_display())
