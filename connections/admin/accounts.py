"""The admin of accounts and campaigns."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from connections.admin.history import WithHistory
from connections.admin.scoped import AccountScoped
from connections.models import Account, Campaign, CustomAttribute


class CustomAttributeInline(admin.TabularInline):  # type: ignore[type-arg]
    """The custom attributes of an account."""

    model = CustomAttribute
    extra = 0


@admin.register(Account)
class AccountAdmin(AccountScoped, WithHistory, admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin of accounts, with their members and custom attributes."""

    list_display = ["name", "slug", "campaign_count", "connection_count", "created_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    filter_horizontal = ["members"]
    inlines = [CustomAttributeInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        accounts: QuerySet[Account] = super().get_queryset(request)
        return accounts.annotate(
            campaign_count=Count("campaigns", distinct=True),
            connection_count=Count("connections", distinct=True),
        )

    @admin.display(description="Campaigns", ordering="campaign_count")
    def campaign_count(self, account: Account) -> int:
        return account.campaign_count  # type: ignore[attr-defined, no-any-return]

    @admin.display(description="Connections", ordering="connection_count")
    def connection_count(self, account: Account) -> int:
        return account.connection_count  # type: ignore[attr-defined, no-any-return]


@admin.register(Campaign)
class CampaignAdmin(AccountScoped, WithHistory, admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin of campaigns; they are linked and unlinked on the Real-time Referral page."""

    list_display = ["name", "account", "kind", "status", "key", "link_count", "created_at"]
    list_filter = ["status", "kind", "account"]
    list_select_related = ["account"]
    search_fields = ["name", "key"]
    readonly_fields = ["key"]
    autocomplete_fields = ["account"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        campaigns: QuerySet[Campaign] = super().get_queryset(request)
        active = Count("links", filter=Q(links__unlinked_at=None))
        return campaigns.annotate(link_count=active)

    @admin.display(description="Linked to", ordering="link_count")
    def link_count(self, campaign: Campaign) -> int:
        return campaign.link_count  # type: ignore[attr-defined, no-any-return]
