"""Replay, Re-read and Cancel for chosen deliveries, after a page that says how many they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.admin.journal import note_all
from referrals.models import Delivery
from referrals.models.deliveries import DeliveryQuerySet
from referrals.pages.site import ACT, MOST_AT_ONCE, person
from referrals.replay import REREADABLE, cancel, replay, reread
from referrals.states import DeliveryStatus

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that a person may do with deliveries: `apply` returns how many it concerned."""

    name: str
    verb: str
    done: str
    explanation: str
    concerned: Callable[[DeliveryQuerySet], DeliveryQuerySet]
    apply: Callable[[DeliveryQuerySet], int]


REPLAY = Deed(
    name="replay",
    verb="Replay",
    done="Replayed",
    explanation="Each gets another attempt now, under the idempotency key that it always had. "
    "A CRM that heeds the key, or knows the person, makes no second entry.",
    concerned=lambda rows: rows.filter(claimed_at=None),
    apply=replay,
)
REREAD = Deed(
    name="reread",
    verb="Re-read",
    done="Re-read",
    explanation="Nothing is sent: the stored answers are read again by the rules of today.",
    concerned=lambda rows: rows.filter(status__in=REREADABLE, claimed_at=None),
    apply=lambda rows: reread(rows).total(),
)
CANCEL = Deed(
    name="cancel",
    verb="Cancel",
    done="Cancelled",
    explanation="What waits is never sent, unless somebody replays it.",
    concerned=lambda rows: rows.pending().filter(claimed_at=None),
    apply=cancel,
)
DEEDS = {deed.name: deed for deed in (REPLAY, REREAD, CANCEL)}


def may_act(user: Any) -> bool:  # noqa: ANN401 - any kind of user.
    """Whether the person may replay, re-read and cancel."""
    return bool(user.has_perm(ACT))


def deeds_for(delivery: Delivery) -> list[Deed]:
    """What would change something for this delivery now."""
    one = DeliveryQuerySet(Delivery).filter(pk=delivery.pk)
    return [deed for deed in DEEDS.values() if deed.concerned(one).exists()]


def carry_out(request: HttpRequest, deed: Deed, rows: DeliveryQuerySet) -> int:
    """Do it, write it in each delivery's history, and tell the person; returns how many."""
    total = 0
    for ids in _chunks(deed.concerned(rows)):
        chunk = Delivery.objects.filter(pk__in=ids)
        total += deed.apply(chunk)
        named = chunk.select_related("referral", "connection")
        named = named.only("referral__external_id", "connection__name")
        note_all(person(request), named, f"{deed.done}.")
    if deed is REREAD:
        messages.success(request, f"Answers that mean something else now: {total}.")
    else:
        messages.success(request, f"{deed.done} deliveries: {total}.")
    return total


def _make_action(deed: Deed) -> Callable[..., HttpResponse | None]:
    @admin.action(description=f"{deed.verb}…", permissions=["act"])
    def action(
        model_admin: admin.ModelAdmin[Delivery], request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> HttpResponse | None:
        rows: DeliveryQuerySet = queryset.order_by()  # type: ignore[assignment]
        counts = _counts(deed.concerned(rows))
        if "confirmed" in request.POST and counts.total() <= MOST_AT_ONCE:
            carry_out(request, deed, rows)
            return None
        return _ask(model_admin, request, deed, counts, rows)

    action.__name__ = deed.name
    return action


ACTIONS = [_make_action(deed) for deed in DEEDS.values()]


def _ask(
    model_admin: admin.ModelAdmin[Delivery],
    request: HttpRequest,
    deed: Deed,
    counts: Counter[str],
    rows: DeliveryQuerySet,
) -> HttpResponse:
    total = counts.total()
    return TemplateResponse(
        request,
        "referrals/confirm_deed.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": f"{deed.verb} deliveries",
            "deed": deed,
            "total": total,
            "others": rows.count() - total,
            "counts": [(DeliveryStatus(status), count) for status, count in counts.most_common()],
            "is_too_many": total > MOST_AT_ONCE,
            "most": MOST_AT_ONCE,
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "back": request.get_full_path(),
            "opts": model_admin.opts,
        },
    )


def _counts(rows: DeliveryQuerySet) -> Counter[str]:
    return Counter(dict(rows.values_list("status").annotate(count=Count("pk"))))


def _chunks(rows: DeliveryQuerySet) -> Iterator[list[int]]:
    """The ids in pieces; taken at once, because what is done changes what the filter finds."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
