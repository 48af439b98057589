"""The actions on deliveries: replay, re-read and cancel, after a confirmation with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.operations.history import Actor
from referrals.models import Delivery
from referrals.models.deliveries import DeliveryQuerySet
from referrals.operations.cancel import cancel
from referrals.operations.replay import replay
from referrals.operations.reread import REREADABLE, reread
from referrals.pages.base import MAX_AT_ONCE
from referrals.statuses import DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAction:
    """An action on deliveries.

    `applicable` filters to the deliveries that it would change; `apply` changes them and returns
    how many.
    """

    name: str
    verb: str
    past_tense: str
    explanation: str
    applicable: Callable[[DeliveryQuerySet], DeliveryQuerySet]
    apply: Callable[[DeliveryQuerySet, Actor], int]


REPLAY = DeliveryAction(
    name="replay",
    verb="Replay",
    past_tense="Replayed",
    explanation="Each gets another attempt now, under the idempotency key that it always had. "
    "A CRM that heeds the key, or knows the person, makes no second entry.",
    applicable=lambda rows: rows.filter(claimed_at=None),
    apply=lambda rows, by: replay(rows, by=by),
)
REREAD = DeliveryAction(
    name="reread",
    verb="Re-read",
    past_tense="Re-read",
    explanation="Nothing is sent: the stored answers are read again by the rules of today.",
    applicable=lambda rows: rows.filter(status__in=REREADABLE, claimed_at=None),
    apply=lambda rows, by: reread(rows, by=by).total(),
)
CANCEL = DeliveryAction(
    name="cancel",
    verb="Cancel",
    past_tense="Cancelled",
    explanation="What waits is never sent, unless somebody replays it.",
    applicable=lambda rows: rows.pending().filter(claimed_at=None),
    apply=lambda rows, by: cancel(rows, by=by),
)
DELIVERY_ACTIONS = {
    delivery_action.name: delivery_action for delivery_action in (REPLAY, REREAD, CANCEL)
}


def actions_for(delivery: Delivery) -> list[DeliveryAction]:
    """Return the actions that would change this delivery now."""
    rows = DeliveryQuerySet(Delivery).filter(pk=delivery.pk)
    return [
        delivery_action
        for delivery_action in DELIVERY_ACTIONS.values()
        if delivery_action.applicable(rows).exists()
    ]


def run_action(
    request: HttpRequest, delivery_action: DeliveryAction, rows: DeliveryQuerySet
) -> int:
    """Run the action, add a message, and return how many deliveries it changed."""
    total = delivery_action.apply(delivery_action.applicable(rows), Actor.of_request(request))
    if delivery_action is REREAD:
        messages.success(request, f"Answers that mean something else now: {total}.")
    else:
        messages.success(request, f"{delivery_action.past_tense} deliveries: {total}.")
    return total


def _make_action(delivery_action: DeliveryAction) -> Callable[..., HttpResponse | None]:
    @admin.action(description=f"{delivery_action.verb}…", permissions=["change_deliveries"])
    def action(
        model_admin: admin.ModelAdmin[Delivery], request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> HttpResponse | None:
        rows: DeliveryQuerySet = queryset.order_by()  # type: ignore[assignment]
        counts = _count_by_status(delivery_action.applicable(rows))
        if "confirmed" in request.POST and counts.total() <= MAX_AT_ONCE:
            run_action(request, delivery_action, rows)
            return None
        return _render_confirmation(model_admin, request, delivery_action, counts, rows)

    action.__name__ = delivery_action.name
    return action


ACTIONS = [_make_action(delivery_action) for delivery_action in DELIVERY_ACTIONS.values()]


def _render_confirmation(
    model_admin: admin.ModelAdmin[Delivery],
    request: HttpRequest,
    delivery_action: DeliveryAction,
    counts: Counter[str],
    rows: DeliveryQuerySet,
) -> HttpResponse:
    total = counts.total()
    return TemplateResponse(
        request,
        "referrals/confirm_action.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": f"{delivery_action.verb} deliveries",
            "action": delivery_action,
            "total": total,
            "other_count": rows.count() - total,
            "counts": [(DeliveryStatus(status), count) for status, count in counts.most_common()],
            "is_too_many": total > MAX_AT_ONCE,
            "max_at_once": MAX_AT_ONCE,
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected_ids": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "back_url": request.get_full_path(),
            "opts": model_admin.opts,
        },
    )


def _count_by_status(rows: DeliveryQuerySet) -> Counter[str]:
    return Counter(dict(rows.values_list("status").annotate(count=Count("pk"))))
