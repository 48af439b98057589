"""The admin of deliveries: the delivery log and the page of one delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from connections.admin.history import WithHistory
from connections.admin.readonly import ReadOnly
from connections.admin.scoped import AccountScoped
from connections.models import Connection
from connections.permissions import can_change_deliveries, can_view_customer_data
from connections.templatetags.outcomes import outcome_badge
from referrals.admin import log_search
from referrals.admin.actions import (
    ACTIONS,
    DELIVERY_ACTIONS,
    actions_for,
    run_action,
)
from referrals.admin.attempt_view import ATTEMPTS_PER_PAGE, view_attempts, view_attributes
from referrals.admin.changelist import ColumnLimitedChangeList
from referrals.admin.log_filters import LOG_FILTERS
from referrals.admin.paging import LimitedPaginator
from referrals.customer_data import display_id
from referrals.models import Delivery, DeliveryAttempt
from referrals.models.deliveries import DeliveryQuerySet
from referrals.templatetags.formatting import duration

_MAX_NUMBER_LENGTH = 19


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, AccountScoped, WithHistory, admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin of deliveries."""

    change_list_template = "referrals/log.html"
    list_display = [
        "external_id", "accepted", "campaign", "connection", "status_badge", "attempts",
        "next_step",
    ]  # fmt: skip
    list_display_links = ["external_id"]
    list_columns = (
        "status", "outcome", "due_at", "claimed_at", "attempt_number", "created_at", "finished_at",
        "referral__external_id", "connection__name", "campaign__name",
    )  # fmt: skip
    list_filter = LOG_FILTERS
    list_select_related = ["referral", "connection", "campaign"]
    list_max_show_all = 0
    list_per_page = 50
    sortable_by = ()
    paginator = LimitedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["referral__external_id"]
    actions = ACTIONS

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        return (log_search.search(queryset, text, request.user) if text else queryset), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "title": "Delivery log",
            "can_change_deliveries": can_change_deliveries(request.user),
            "can_view_customer_data": can_view_customer_data(request.user),
            "has_any": self.get_queryset(request).exists(),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ANN401, ARG002
        return ColumnLimitedChangeList

    def has_change_deliveries_permission(self, request: HttpRequest) -> bool:
        """Whether the user may run the actions; Django calls it by their `permissions`."""
        return can_change_deliveries(request.user)

    def get_urls(self) -> list[URLPattern]:
        urls = [
            path(
                "attempts/<int:pk>/<str:part>/",
                self.admin_site.admin_view(self.raw_view),
                name="referrals_deliveryattempt_raw",
            ),
            path(
                "<int:pk>/action/<str:name>/",
                self.admin_site.admin_view(self.action_view),
                name="referrals_delivery_action",
            ),
        ]
        return [*urls, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 - Django's signature.
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one delivery with its attempts, and buttons for the actions that apply."""
        delivery = self._get_delivery(request, unquote(object_id))
        text = request.GET.get("before", "")
        before = int(text) if text.isdecimal() and len(text) < _MAX_NUMBER_LENGTH else None
        attempts = view_attempts(delivery, request.user, before)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Delivery of {delivery.referral}",
            "opts": self.opts,
            "delivery": delivery,
            "external_id": display_id(delivery.referral, request.user),
            "attributes": view_attributes(delivery.referral, request.user),
            "attempts": attempts[:ATTEMPTS_PER_PAGE],
            "is_tested": Connection.objects.tested().filter(pk=delivery.connection_id).exists(),
            "has_earlier": len(attempts) > ATTEMPTS_PER_PAGE,
            "is_latest": before is None,
            "can_view_customer_data": can_view_customer_data(request.user),
            "actions": actions_for(delivery) if can_change_deliveries(request.user) else (),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "referrals/delivery.html", context)

    def action_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Replay, re-read or cancel one delivery."""
        if request.method != "POST" or name not in DELIVERY_ACTIONS:
            raise Http404
        if not can_change_deliveries(request.user):
            raise PermissionDenied
        delivery = self._get_delivery(request, str(pk))
        delivery_action = DELIVERY_ACTIONS[name]
        rows = DeliveryQuerySet(Delivery).filter(pk=delivery.pk)
        if delivery_action.applicable(rows).exists():
            run_action(request, delivery_action, rows)
        else:
            messages.warning(
                request, f"{delivery_action.verb} does nothing for it now: see where it stands."
            )
        return HttpResponseRedirect(reverse("admin:referrals_delivery_change", args=[pk]))

    def raw_view(self, request: HttpRequest, pk: int, part: str) -> HttpResponse:
        """Download a stored request or response body, if the user may see customers' data."""
        if part not in ("request", "response"):
            raise Http404
        if not (self.has_view_permission(request) and can_view_customer_data(request.user)):
            raise PermissionDenied
        attempt = DeliveryAttempt.objects.visible_to(request.user).filter(pk=pk).first()
        body = getattr(attempt, f"{part}_body") if attempt else None
        if attempt is None or body is None:
            raise Http404
        name = f"delivery-{attempt.delivery_id}-attempt-{attempt.number}-{part}.txt"
        return HttpResponse(
            bytes(body),
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _get_delivery(self, request: HttpRequest, object_id: str) -> Delivery:
        """Return the delivery. Raise PermissionDenied or Http404 if the user may not see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related(
            "referral__campaign__account", "campaign", "connection__account"
        )
        is_number = object_id.isdecimal() and len(object_id) < _MAX_NUMBER_LENGTH
        delivery: Delivery | None = rows.filter(pk=object_id).first() if is_number else None
        if delivery is None:
            raise Http404
        return delivery

    @admin.display(description="External ID")
    def external_id(self, delivery: Delivery) -> str:
        return delivery.display_id  # type: ignore[attr-defined, no-any-return]

    @admin.display(description="Accepted")
    def accepted(self, delivery: Delivery) -> str:
        return _format_time(delivery.created_at)

    @admin.display(description="Status")
    def status_badge(self, delivery: Delivery) -> SafeString | str:
        return outcome_badge(delivery.status)

    @admin.display(description="Attempts")
    def attempts(self, delivery: Delivery) -> int:
        return delivery.attempt_number

    @admin.display(description="Then")
    def next_step(self, delivery: Delivery) -> str:
        """Return when the next attempt is due, or how long the delivery took."""
        if delivery.claimed_at:
            return "In flight"
        if delivery.due_at is None:
            return _format_total_time(delivery)
        is_due = delivery.due_at <= timezone.now()
        due = "due now" if is_due else f"next {_format_due_at(delivery.due_at)}"
        return f"{delivery.outcome}, {due}".removeprefix(", ")


def _format_time(time: datetime) -> str:
    """Return day and time, and the year if it is not this one."""
    year = "" if time.year == timezone.now().year else " %Y"
    return time.strftime(f"%-d %b{year}, %H:%M:%S")


def _format_due_at(time: datetime) -> str:
    """Return the time, and the day if it is not today."""
    is_today = time.date() == timezone.now().date()
    return time.strftime("%H:%M:%S") if is_today else _format_time(time)


def _format_total_time(delivery: Delivery) -> str:
    """Return how long the delivery took, from its acceptance to its last attempt."""
    if delivery.finished_at is None:
        return "–"
    total = delivery.finished_at - delivery.created_at
    return f"after {duration(total.total_seconds())}"
