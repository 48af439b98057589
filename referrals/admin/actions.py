"""Replay, Re-read and Cancel for chosen deliveries, after a page that says how many they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.operations.history import log_changes
from referrals.models import Delivery
from referrals.models.deliveries import DeliveryQuerySet
from referrals.operations.cancel import cancel
from referrals.operations.chunks import key_chunks
from referrals.operations.replay import replay
from referrals.operations.reread import REREADABLE, reread
from referrals.pages.base import MAX_AT_ONCE, PERM_CHANGE_DELIVERY, person
from referrals.statuses import DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAction:
    """One thing that a person may do with deliveries: `apply` returns how many it concerned."""

    name: str
    verb: str
    done: str
    explanation: str
    applicable: Callable[[DeliveryQuerySet], DeliveryQuerySet]
    apply: Callable[[DeliveryQuerySet], int]


REPLAY = DeliveryAction(
    name="replay",
    verb="Replay",
    done="Replayed",
    explanation="Each gets another attempt now, under the idempotency key that it always had. "
    "A CRM that heeds the key, or knows the person, makes no second entry.",
    applicable=lambda rows: rows.filter(claimed_at=None),
    apply=replay,
)
REREAD = DeliveryAction(
    name="reread",
    verb="Re-read",
    done="Re-read",
    explanation="Nothing is sent: the stored answers are read again by the rules of today.",
    applicable=lambda rows: rows.filter(status__in=REREADABLE, claimed_at=None),
    apply=lambda rows: reread(rows).total(),
)
CANCEL = DeliveryAction(
    name="cancel",
    verb="Cancel",
    done="Cancelled",
    explanation="What waits is never sent, unless somebody replays it.",
    applicable=lambda rows: rows.pending().filter(claimed_at=None),
    apply=cancel,
)
DELIVERY_ACTIONS = {
    delivery_action.name: delivery_action for delivery_action in (REPLAY, REREAD, CANCEL)
}


def can_change_deliveries(user: Any) -> bool:  # noqa: ANN401 - any kind of user.
    """Whether the person may replay, re-read and cancel."""
    return bool(user.has_perm(PERM_CHANGE_DELIVERY))


def actions_for(delivery: Delivery) -> list[DeliveryAction]:
    """What would change something for this delivery now."""
    one = DeliveryQuerySet(Delivery).filter(pk=delivery.pk)
    return [
        delivery_action
        for delivery_action in DELIVERY_ACTIONS.values()
        if delivery_action.applicable(one).exists()
    ]


def run_action(
    request: HttpRequest, delivery_action: DeliveryAction, rows: DeliveryQuerySet
) -> int:
    """Do it, write it in each delivery's history, and tell the person; returns how many."""
    total = 0
    for ids in key_chunks(delivery_action.applicable(rows)):
        chunk = Delivery.objects.filter(pk__in=ids)
        total += delivery_action.apply(chunk)
        named = chunk.select_related("referral", "connection")
        named = named.only("referral__external_id", "connection__name")
        log_changes(person(request), named, f"{delivery_action.done}.")
    if delivery_action is REREAD:
        messages.success(request, f"Answers that mean something else now: {total}.")
    else:
        messages.success(request, f"{delivery_action.done} deliveries: {total}.")
    return total


def _make_action(delivery_action: DeliveryAction) -> Callable[..., HttpResponse | None]:
    @admin.action(description=f"{delivery_action.verb}…", permissions=["act"])
    def action(
        model_admin: admin.ModelAdmin[Delivery], request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> HttpResponse | None:
        rows: DeliveryQuerySet = queryset.order_by()  # type: ignore[assignment]
        counts = _counts(delivery_action.applicable(rows))
        if "confirmed" in request.POST and counts.total() <= MAX_AT_ONCE:
            run_action(request, delivery_action, rows)
            return None
        return _ask(model_admin, request, delivery_action, counts, rows)

    action.__name__ = delivery_action.name
    return action


ACTIONS = [_make_action(delivery_action) for delivery_action in DELIVERY_ACTIONS.values()]


def _ask(
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
            "others": rows.count() - total,
            "counts": [(DeliveryStatus(status), count) for status, count in counts.most_common()],
            "is_too_many": total > MAX_AT_ONCE,
            "most": MAX_AT_ONCE,
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "back": request.get_full_path(),
            "opts": model_admin.opts,
        },
    )


def _counts(rows: DeliveryQuerySet) -> Counter[str]:
    return Counter(dict(rows.values_list("status").annotate(count=Count("pk"))))
