"""The read-only admin of referrals."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from connections.admin.history import WithHistory
from connections.admin.readonly import ReadOnly
from connections.admin.scoped import AccountScoped
from connections.templatetags.outcomes import outcome_badge
from referrals.admin import attempt_view, log_search
from referrals.admin.changelist import ColumnLimitedChangeList
from referrals.admin.paging import LimitedPaginator
from referrals.customer_data import display_id
from referrals.models import Delivery, Referral


class DeliveryInline(ReadOnly, AccountScoped, admin.TabularInline):  # type: ignore[type-arg]
    """The deliveries of a referral."""

    model = Delivery
    fields = ["connection", "status_badge", "due_at", "finished_at"]
    readonly_fields = ["status_badge"]
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).select_related("connection", "referral")

    @admin.display(description="Status")
    def status_badge(self, delivery: Delivery) -> SafeString | str:
        return outcome_badge(delivery.status)


@admin.register(Referral)
class ReferralAdmin(ReadOnly, AccountScoped, WithHistory, admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin of referrals."""

    change_list_template = "referrals/limited_list.html"
    list_display = ["display_id", "campaign", "accepted_at", "occurred_at"]
    list_columns = ("external_id", "campaign__name", "accepted_at", "occurred_at")
    list_filter = ["campaign"]
    list_select_related = ["campaign"]
    list_max_show_all = 0
    sortable_by = ()
    paginator = LimitedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["external_id"]
    search_help_text = "The beginning of an external ID."
    fields = ["display_id", "campaign", "accepted_at", "occurred_at", "attributes_table"]
    readonly_fields = ["display_id", "attributes_table"]
    inlines = [DeliveryInline]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ANN401, ARG002
        return ColumnLimitedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return log_search.search_referrals(queryset, search_term.strip(), request.user), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Referral | None:
        """Return the referral with its external id and attributes as the user may see them."""
        referral: Referral | None = super().get_object(request, object_id, from_field)
        if referral is not None:
            referral.display_id = display_id(referral, request.user)  # type: ignore[attr-defined]
            referral.attribute_views = attempt_view.view_attributes(referral, request.user)  # type: ignore[attr-defined]
        return referral

    @admin.display(description="External ID")
    def display_id(self, referral: Referral) -> str:
        return referral.display_id  # type: ignore[attr-defined, no-any-return]

    @admin.display(description="Attributes")
    def attributes_table(self, referral: Referral) -> SafeString:
        views: list[attempt_view.AttributeView] = referral.attribute_views  # type: ignore[attr-defined]
        rows = ((view.label, view.value) for view in views)
        return format_html(
            '<table class="attributes">{}</table>',
            format_html_join("", '<tr><th scope="row">{}</th><td><bdi>{}</bdi></td></tr>', rows),
        )
