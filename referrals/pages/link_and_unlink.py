"""The views of the Real-time Referral page: link and unlink campaigns, pause and release."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from connections.models import Campaign, Connection
from connections.operations.history import Actor
from connections.operations.links import LinkRefused, link_campaign
from connections.operations.pause_hold_release import pause_connection
from connections.permissions import (
    PERM_ADD_CONNECTION,
    PERM_ADD_LINK,
    PERM_CHANGE_CONNECTION,
    PERM_CHANGE_LINK,
    PERM_VIEW_LINK,
    can_change_deliveries,
)
from referrals.operations.release import release
from referrals.operations.unlink import unlink, waiting
from referrals.pages.base import page_context
from referrals.pages.link_list import Search, get_connection_page, url_for


@require_safe
@permission_required(PERM_VIEW_LINK, raise_exception=True)
def real_time_referral(request: HttpRequest) -> HttpResponse:
    """Show the connections of the user's accounts; the query string says which one is expanded."""
    search = Search.from_query(request.GET)
    page = get_connection_page(request.user, search)
    return TemplateResponse(
        request,
        "referrals/real_time_referral.html",
        {
            **page_context(request, "Real-time Referral"),
            "search": search,
            "page": page,
            "can_link": request.user.has_perm(PERM_ADD_LINK),
            "can_unlink": request.user.has_perm(PERM_CHANGE_LINK),
            "can_change_deliveries": can_change_deliveries(request.user),
            "can_change": request.user.has_perm(PERM_CHANGE_CONNECTION),
            "can_add": request.user.has_perm(PERM_ADD_CONNECTION),
            "has_any": Connection.objects.visible_to(request.user).exists(),
        },
    )


@require_POST
@permission_required(PERM_ADD_LINK, raise_exception=True)
def link_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Link the selected campaigns; ask first if the connection is untested."""
    connection = _get_connection(request, pk)
    campaigns = _selected_campaigns(request)
    if not campaigns:
        return _redirect_none_selected(request, connection)
    if not connection.is_tested and "confirmed" not in request.POST:
        return _render_confirmation(
            request, "referrals/link_untested.html", connection, campaigns,
            last_test=connection.tests.first(),
        )  # fmt: skip
    change = partial(link_campaign, connection=connection, by=Actor.of_request(request))
    linked = _apply_to_each(request, campaigns, change)
    _add_messages(request, connection, linked, "Linked {} to {}.")
    return _redirect_back(request, connection, unlinked=True)


@require_POST
@permission_required(PERM_CHANGE_LINK, raise_exception=True)
def unlink_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Unlink the selected campaigns; ask first what becomes of their pending deliveries, if any."""
    connection = _get_connection(request, pk)
    campaigns = _selected_campaigns(request)
    if not campaigns:
        return _redirect_none_selected(request, connection)
    counts = {campaign: waiting(campaign, connection).count() for campaign in campaigns}
    if "waiting" not in request.POST and any(counts.values()):
        return _render_confirmation(
            request, "referrals/unlink.html", connection, campaigns,
            counts=list(counts.items()), total=sum(counts.values()),
        )  # fmt: skip
    cancels_waiting = request.POST.get("waiting") == "cancel"
    change = partial(
        unlink,
        connection=connection,
        by=Actor.of_request(request),
        cancel_waiting=cancels_waiting,
    )
    unlinked = _apply_to_each(request, campaigns, change)
    _add_messages(request, connection, unlinked, "Unlinked {} from {}.")
    if cancels_waiting:
        messages.info(request, f"Cancelled deliveries: {sum(unlinked.values())}.")
    return _redirect_back(request, connection)


@require_POST
@permission_required(PERM_CHANGE_CONNECTION, raise_exception=True)
def pause_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Send nothing to the connection until it is released."""
    connection = _get_connection(request, pk)
    reason = f"Paused by {request.user.get_username()}."
    if pause_connection(connection, by=Actor.of_request(request), reason=reason):
        messages.success(request, f"{connection} is paused. What comes in for it waits.")
    return _redirect_back(request, connection)


@require_POST
@permission_required(PERM_CHANGE_CONNECTION, raise_exception=True)
def release_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Release a connection that is paused or held, or whose breaker is open."""
    connection = _get_connection(request, pk)
    count = release(connection, by=Actor.of_request(request))
    messages.success(request, f"{connection} is released. Deliveries that wait for it: {count}.")
    return _redirect_back(request, connection)


def _get_connection(request: HttpRequest, pk: int) -> Any:  # noqa: ANN401 - with `is_tested`.
    rows = Connection.objects.visible_to(request.user).with_is_tested()
    return get_object_or_404(rows.select_related("account"), pk=pk)


def _selected_campaigns(request: HttpRequest) -> Sequence[Campaign]:
    """Return the campaign whose button was clicked, or else all whose boxes are checked.

    Raise PermissionDenied if the user may not see one of them.
    """
    ids = request.POST.getlist("campaign") or request.POST.getlist("selected")
    numbers = [text for text in ids if text.isdecimal()]
    rows = Campaign.objects.visible_to(request.user).filter(pk__in=numbers)
    if rows.count() != len(set(numbers)) or len(numbers) != len(ids):
        raise PermissionDenied
    return list(rows)


def _apply_to_each(
    request: HttpRequest, campaigns: Iterable[Campaign], change: Callable[[Campaign], Any]
) -> dict[Campaign, Any]:
    """Return the result of each campaign; add an error message for each that is refused."""
    results = {}
    for campaign in campaigns:
        try:
            results[campaign] = change(campaign)
        except LinkRefused as refusal:
            messages.error(request, str(refusal))
    return results


def _add_messages(
    request: HttpRequest, connection: Connection, campaigns: Iterable[Campaign], text: str
) -> None:
    for campaign in campaigns:
        messages.success(request, text.format(campaign, connection))


def _render_confirmation(
    request: HttpRequest,
    template: str,
    connection: Connection,
    campaigns: Sequence[Campaign],
    **extra_context: Any,  # noqa: ANN401 - as Django's.
) -> HttpResponse:
    return TemplateResponse(
        request,
        template,
        {
            **page_context(request, str(connection)),
            "connection": connection,
            "campaigns": campaigns,
            "back_url": url_for(connection),
            **extra_context,
        },
    )


def _redirect_none_selected(request: HttpRequest, connection: Connection) -> HttpResponse:
    messages.warning(request, "Tick the campaigns first.")
    return _redirect_back(request, connection, unlinked=True)


def _redirect_back(
    request: HttpRequest, connection: Connection, *, unlinked: bool = False
) -> HttpResponseRedirect:
    """Redirect to the page with the same search and the connection expanded, or to the
    connection's own page if the request came from there."""
    if request.POST.get("from") == "connection":
        return HttpResponseRedirect(connection.get_absolute_url())
    return HttpResponseRedirect(
        url_for(connection, unlinked=unlinked, campaign=request.POST.get("search", ""))
    )
