"""The delivery log and one delivery's page: to read, and to replay, re-read or cancel."""

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

from connections.admin.readonly import ReadOnly
from connections.admin.scoped import AccountScoped
from connections.models import Connection
from connections.templatetags.outcomes import outcome_badge
from referrals.admin import log_search
from referrals.admin.actions import (
    ACTIONS,
    DELIVERY_ACTIONS,
    actions_for,
    can_change_deliveries,
    run_action,
)
from referrals.admin.attempt_view import ATTEMPTS_A_PAGE, shown_attempts, shown_attributes
from referrals.admin.changelist import ColumnLimitedChangeList
from referrals.admin.log_filters import LOG_FILTERS
from referrals.admin.paging import LimitedPaginator
from referrals.customer_data import can_view_customer_data, shown_id
from referrals.models import Delivery, DeliveryAttempt
from referrals.models.deliveries import DeliveryQuerySet
from referrals.templatetags.formatting import duration

_MAX_NUMBER_LENGTH = 19


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, AccountScoped, admin.ModelAdmin):  # type: ignore[type-arg]
    """The delivery log."""

    change_list_template = "referrals/log.html"
    list_display = [
        "external_id", "accepted", "campaign", "connection", "shown_status", "attempts", "then",
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
            "sees_customers": can_view_customer_data(request.user),
            "has_any": self.get_queryset(request).exists(),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ANN401, ARG002
        return ColumnLimitedChangeList

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether the actions are offered."""
        return can_change_deliveries(request.user)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "attempts/<int:pk>/<str:part>/",
                self.admin_site.admin_view(self.raw_view),
                name="referrals_deliveryattempt_raw",
            ),
            path(
                "<int:pk>/<str:name>/do/",
                self.admin_site.admin_view(self.action_view),
                name="referrals_delivery_do",
            ),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 - Django's signature.
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One delivery: its timeline, and what a person may do."""
        delivery = self._found(request, unquote(object_id))
        before = request.GET.get("before", "")
        number = int(before) if before.isdecimal() and len(before) < _MAX_NUMBER_LENGTH else None
        attempts = shown_attempts(delivery, request.user, number)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Delivery of {delivery.referral}",
            "opts": self.opts,
            "delivery": delivery,
            "external_id": shown_id(delivery.referral, request.user),
            "attributes": shown_attributes(delivery.referral, request.user),
            "attempts": attempts[:ATTEMPTS_A_PAGE],
            "is_tested": Connection.objects.tested().filter(pk=delivery.connection_id).exists(),
            "has_earlier": len(attempts) > ATTEMPTS_A_PAGE,
            "is_latest": number is None,
            "sees_customers": can_view_customer_data(request.user),
            "actions": actions_for(delivery) if can_change_deliveries(request.user) else (),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "referrals/delivery.html", context)

    def action_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Replay, re-read or cancel this one."""
        if request.method != "POST" or name not in DELIVERY_ACTIONS:
            raise Http404
        if not can_change_deliveries(request.user):
            raise PermissionDenied
        delivery = self._found(request, str(pk))
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
        """The bytes of one body as they are kept, as a file, for whom may see customers' data."""
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

    def _found(self, request: HttpRequest, object_id: str) -> Delivery:
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
        return delivery.shown_id  # type: ignore[attr-defined, no-any-return]

    @admin.display(description="Accepted")
    def accepted(self, delivery: Delivery) -> str:
        return _short(delivery.created_at)

    @admin.display(description="Status")
    def shown_status(self, delivery: Delivery) -> SafeString | str:
        return outcome_badge(delivery.status)

    @admin.display(description="Attempts")
    def attempts(self, delivery: Delivery) -> int:
        return delivery.attempt_number

    @admin.display(description="Then")
    def then(self, delivery: Delivery) -> str:
        """What comes next, or when it was settled."""
        if delivery.claimed_at:
            return "Under way"
        if delivery.due_at is None:
            return _after(delivery)
        is_due = delivery.due_at <= timezone.now()
        due = "due now" if is_due else f"next {_next(delivery.due_at)}"
        return f"{delivery.outcome}, {due}".removeprefix(", ")


def _short(moment: datetime) -> str:
    """The year only where it is another one."""
    year = "" if moment.year == timezone.now().year else " %Y"
    return moment.strftime(f"%-d %b{year}, %H:%M:%S")


def _next(moment: datetime) -> str:
    """The day only where it is another one."""
    is_today = moment.date() == timezone.now().date()
    return moment.strftime("%H:%M:%S") if is_today else _short(moment)


def _after(delivery: Delivery) -> str:
    """How long it took from the door until it was settled."""
    if delivery.finished_at is None:
        return "–"
    took = delivery.finished_at - delivery.created_at
    return f"after {duration(took.total_seconds())}"
