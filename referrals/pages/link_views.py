"""The Real-time Referral page: connections with their campaigns, Link and Unlink, as plain forms.

Operations decide what may be linked and what waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from connections.models import Campaign, Connection
from connections.operations.history import log_change
from connections.operations.links import LinkRefused, link_campaign
from connections.operations.states import pause_connection
from referrals.operations.release import release
from referrals.operations.unlink import unlink, waiting
from referrals.pages.base import PERM_CHANGE_DELIVERY, context, permission_required, person
from referrals.pages.link_list import Search, connection_rows, url_for

LINK, UNLINK = "connections.add_link", "connections.change_link"
CHANGE_CONNECTION = "connections.change_connection"


@require_safe
@permission_required("connections.view_link")
def real_time_referral(request: HttpRequest) -> HttpResponse:
    """All connections of the user's accounts, one of them expanded where the address says so."""
    search = Search.from_query(request.GET)
    page = connection_rows(request.user, search)
    return TemplateResponse(
        request,
        "referrals/real_time_referral.html",
        {
            **context(request, "Real-time Referral"),
            "search": search,
            "page": page,
            "may_link": request.user.has_perm(LINK),
            "may_unlink": request.user.has_perm(UNLINK),
            "may_deliver": request.user.has_perm(PERM_CHANGE_DELIVERY),
            "may_change": request.user.has_perm(CHANGE_CONNECTION),
            "may_add": request.user.has_perm("connections.add_connection"),
            "has_any": Connection.objects.visible_to(request.user).exists(),
        },
    )


@require_POST
@permission_required(LINK)
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Link the chosen campaigns; first ask, where the connection has no good test of what it is."""
    connection = _connection(request, pk)
    campaigns = _chosen(request)
    if not campaigns:
        return _none_chosen(request, connection)
    if not connection.is_tested and "confirmed" not in request.POST:
        last = connection.tests.first()
        return _ask(request, "referrals/link_untested.html", connection, campaigns, last_test=last)
    change = partial(link_campaign, connection=connection, by=person(request))
    done = _each(request, campaigns, change)
    _tell(request, connection, done, "Linked {} to {}.")
    return _back(request, connection, unlinked=True)


@require_POST
@permission_required(UNLINK)
def unlink_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Unlink the chosen campaigns; first ask what becomes of what waits, if anything does."""
    connection = _connection(request, pk)
    campaigns = _chosen(request)
    if not campaigns:
        return _none_chosen(request, connection)
    counts = {campaign: waiting(campaign, connection).count() for campaign in campaigns}
    if "waiting" not in request.POST and any(counts.values()):
        return _ask(
            request, "referrals/unlink.html", connection, campaigns,
            counts=list(counts.items()), total=sum(counts.values()),
        )  # fmt: skip
    is_cancelled = request.POST.get("waiting") == "cancel"
    change = partial(unlink, connection=connection, by=person(request), cancel_waiting=is_cancelled)
    done = _each(request, campaigns, change)
    _tell(request, connection, done, "Unlinked {} from {}.")
    if is_cancelled:
        messages.info(request, f"Cancelled deliveries: {sum(done.values())}.")
    return _back(request, connection)


@require_POST
@permission_required(CHANGE_CONNECTION)
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Send nothing to the connection until it is released."""
    connection = _connection(request, pk)
    reason = f"Paused by {request.user.get_username()}."
    if pause_connection(connection, reason=reason):
        log_change(request.user, connection, "Paused.")
        messages.success(request, f"{connection} is paused. What comes in for it waits.")
    return _back(request, connection)


@require_POST
@permission_required(CHANGE_CONNECTION)
def release_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Release a paused, held or resting connection."""
    connection = _connection(request, pk)
    count = release(connection)
    log_change(request.user, connection, "Released.")
    messages.success(request, f"{connection} is released. Deliveries that wait for it: {count}.")
    return _back(request, connection)


def _connection(request: HttpRequest, pk: int) -> Any:  # noqa: ANN401 - it has `is_tested` besides.
    rows = Connection.objects.visible_to(request.user).with_is_tested()
    return get_object_or_404(rows.select_related("account"), pk=pk)


def _chosen(request: HttpRequest) -> Sequence[Campaign]:
    """The campaign whose own button was pressed, or else all that are ticked."""
    ids = request.POST.getlist("campaign") or request.POST.getlist("selected")
    numbers = [id_ for id_ in ids if id_.isdecimal()]
    rows = Campaign.objects.visible_to(request.user).filter(pk__in=numbers)
    if rows.count() != len(set(numbers)) or len(numbers) != len(ids):
        raise PermissionDenied
    return list(rows)


def _each(
    request: HttpRequest, campaigns: Iterable[Campaign], change: Callable[[Campaign], Any]
) -> dict[Campaign, Any]:
    """What came of each campaign that was not refused; refusals are told."""
    done = {}
    for campaign in campaigns:
        try:
            done[campaign] = change(campaign)
        except LinkRefused as refusal:
            messages.error(request, str(refusal))
    return done


def _tell(
    request: HttpRequest, connection: Connection, campaigns: Iterable[Campaign], sentence: str
) -> None:
    for campaign in campaigns:
        told = sentence.format(campaign, connection)
        messages.success(request, told)
        log_change(request.user, campaign, told)
        log_change(request.user, connection, told)


def _ask(
    request: HttpRequest,
    template: str,
    connection: Connection,
    campaigns: Sequence[Campaign],
    **more: Any,  # noqa: ANN401 - what the template shows.
) -> HttpResponse:
    return TemplateResponse(
        request,
        template,
        {
            **context(request, str(connection)),
            "connection": connection,
            "campaigns": campaigns,
            "back": url_for(connection),
            **more,
        },
    )


def _none_chosen(request: HttpRequest, connection: Connection) -> HttpResponse:
    messages.warning(request, "Tick the campaigns first.")
    return _back(request, connection, unlinked=True)


def _back(
    request: HttpRequest, connection: Connection, *, unlinked: bool = False
) -> HttpResponseRedirect:
    """To the page as it was: the same search, the connection expanded; or to its own page."""
    if request.POST.get("from") == "connection":
        return HttpResponseRedirect(connection.get_absolute_url())
    return HttpResponseRedirect(
        url_for(connection, unlinked=unlinked, campaign=request.POST.get("search", ""))
    )
