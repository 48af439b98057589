"""The page that delivers a linked campaign's past referrals, after a confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections.models import Link
from connections.operations.history import Actor
from connections.permissions import PERM_CHANGE_DELIVERY
from referrals.operations.backfill import backfill, never_sent
from referrals.pages.base import MAX_AT_ONCE, page_context
from referrals.pages.link_list import url_for

_PERIODS = {
    "day": ("The last 24 hours", timedelta(days=1)),
    "week": ("The last 7 days", timedelta(days=7)),
    "month": ("The last 30 days", timedelta(days=30)),
    "ever": ("All of them", timedelta(days=36_500)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A choice of how far back to go, and how many referrals that would deliver."""

    name: str
    label: str
    since: datetime
    count: int

    @property
    def is_possible(self) -> bool:
        """Whether there are referrals, and not too many for one request."""
        return 0 < self.count <= MAX_AT_ONCE


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(PERM_CHANGE_DELIVERY, raise_exception=True)
def deliver_past(request: HttpRequest, pk: int, campaign_pk: int) -> HttpResponse:
    """Ask how far back to go, then deliver the referrals that never went to the connection."""
    links = Link.objects.visible_to(request.user).active()
    rows = links.select_related("campaign", "connection")
    link = get_object_or_404(rows, connection=pk, campaign=campaign_pk)
    periods = _get_periods(link)
    selected = next(
        (period for period in periods if period.name == request.POST.get("since")), None
    )
    if selected is None or not selected.is_possible:
        return _render_confirmation(request, link, periods)
    count = backfill(
        link.campaign, link.connection, since=selected.since, by=Actor.of_request(request)
    )
    messages.success(
        request,
        f"Past referrals of {link.campaign} that are delivered to {link.connection} now: {count}.",
    )
    return HttpResponseRedirect(url_for(link.connection))


def _get_periods(link: Link) -> list[Period]:
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


def _render_confirmation(
    request: HttpRequest, link: Link, periods: Sequence[Period]
) -> HttpResponse:
    possible = [period for period in periods if period.is_possible]
    return TemplateResponse(
        request,
        "referrals/deliver_past.html",
        {
            **page_context(request, f"Past referrals of {link.campaign}"),
            "connection": link.connection,
            "campaign": link.campaign,
            "periods": periods,
            "selected": possible[0].name if possible else "",
            "has_too_many": any(period.count > MAX_AT_ONCE for period in periods),
            "max_at_once": MAX_AT_ONCE,
            "back_url": url_for(link.connection),
        },
    )
