"""Giving a linked campaign's past referrals to its connection, after a page that counts them.

Decides nothing: which referrals never went there is `referrals.operations.replay`'s to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections.models import Link
from connections.operations.history import log_change
from referrals.operations.backfill import backfill, never_sent
from referrals.pages.base import MAX_AT_ONCE, PERM_CHANGE_DELIVERY, context, permission_required
from referrals.pages.link_list import url_for

_PERIODS = {
    "day": ("The last 24 hours", timedelta(days=1)),
    "week": ("The last 7 days", timedelta(days=7)),
    "month": ("The last 30 days", timedelta(days=30)),
    "ever": ("All of them", timedelta(days=36_500)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """How far back to go, and how many referrals that would be."""

    name: str
    label: str
    since: datetime
    count: int

    @property
    def is_possible(self) -> bool:
        """Whether it is something to do, and not too much for a page."""
        return 0 < self.count <= MAX_AT_ONCE


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(PERM_CHANGE_DELIVERY)
def deliver_past(request: HttpRequest, pk: int, campaign_pk: int) -> HttpResponse:
    """Ask how far back to go, then deliver what never went to the connection."""
    links = Link.objects.visible_to(request.user).active()
    rows = links.select_related("campaign", "connection")
    link = get_object_or_404(rows, connection=pk, campaign=campaign_pk)
    periods = _periods(link)
    chosen = next((one for one in periods if one.name == request.POST.get("since")), None)
    if chosen is None or not chosen.is_possible:
        return _ask(request, link, periods)
    count = backfill(link.campaign, link.connection, since=chosen.since)
    told = (
        f"Past referrals of {link.campaign} that are delivered to {link.connection} now: {count}."
    )
    messages.success(request, told)
    log_change(request.user, link.campaign, told)
    log_change(request.user, link.connection, told)
    return HttpResponseRedirect(url_for(link.connection))


def _periods(link: Link) -> list[Period]:
    now = timezone.now()
    return [
        Period(
            name=name,
            label=label,
            since=now - length,
            count=never_sent(link.campaign, link.connection, since=now - length).count(),
        )
        for name, (label, length) in _PERIODS.items()
    ]


def _ask(request: HttpRequest, link: Link, periods: Sequence[Period]) -> HttpResponse:
    possible = [one for one in periods if one.is_possible]
    return TemplateResponse(
        request,
        "referrals/deliver_past.html",
        {
            **context(request, f"Past referrals of {link.campaign}"),
            "connection": link.connection,
            "campaign": link.campaign,
            "periods": periods,
            "chosen": possible[0].name if possible else "",
            "has_too_many": any(one.count > MAX_AT_ONCE for one in periods),
            "most": MAX_AT_ONCE,
            "back": url_for(link.connection),
        },
    )
