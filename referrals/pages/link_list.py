"""The connections of the Real-time Referral page with their campaigns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from connections.models import Campaign, Connection, Link
from connections.operations.links import withheld_attributes

CONNECTIONS_PER_PAGE = 25
MAX_CAMPAIGNS = 100
"""The campaigns that a list shows at most; a search finds the others."""

_MAX_HISTORY_LINKS = 5
_MAX_NUMBER_LENGTH = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The query parameters: a search for connections, the expanded one, a search for campaigns."""

    text: str = ""
    page: str = ""
    connection_id: int | None = None
    shows_unlinked: bool = False
    campaign: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Search:
        """Return the search of a query string; a connection that is no number is ignored."""
        number = query.get("connection", "")
        return cls(
            text=query.get("q", "").strip(),
            page=query.get("page", ""),
            connection_id=(
                int(number) if number.isdecimal() and len(number) < _MAX_NUMBER_LENGTH else None
            ),
            shows_unlinked="unlinked" in query,
            campaign=query.get("campaign", "").strip(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCandidate:
    """An unlinked campaign, and the required attributes that it may not share."""

    campaign: Campaign
    withheld: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """One connection with its campaigns."""

    connection: Any
    links: Sequence[Link]
    history: Sequence[Link]
    is_open: bool
    unlinked: Sequence[LinkCandidate] | None = None
    unlinked_count: int = 0
    search: str = ""

    @property
    def show_unlinked_url(self) -> str:
        """The URL that shows the unlinked campaigns as well."""
        return url_for(self.connection, unlinked=True)

    @property
    def hide_unlinked_url(self) -> str:
        """The URL that shows the linked campaigns alone."""
        return url_for(self.connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPage:
    """One page of connections."""

    rows: Sequence[ConnectionRow]
    page: Page[Any]


def get_connection_page(user: Any, search: Search) -> ConnectionPage:  # noqa: ANN401 - any kind of user.
    """Return a page of the connections that the user may see and that fit the search."""
    connections = Connection.objects.visible_to(user).with_is_tested()
    connections = connections.annotate(
        linked_count=Count("links", filter=Q(links__unlinked_at=None))
    ).select_related("account")
    if search.text:
        connections = connections.filter(
            Q(name__icontains=search.text) | Q(account__name__icontains=search.text)
        )
    connections = connections.order_by("name", "pk")
    number = search.page or _page_number(search.connection_id, connections)
    page = Paginator(connections, CONNECTIONS_PER_PAGE).get_page(number)
    links, history = _get_links(list(page), search), _get_history(list(page))
    rows = [_build_row(row, links[row.pk], history[row.pk], search) for row in page]
    return ConnectionPage(rows=rows, page=page)


def _page_number(pk: int | None, connections: QuerySet[Connection]) -> int:
    """Return the number of the page with the connection, 1 if there is no such connection."""
    name = connections.filter(pk=pk).values_list("name", flat=True).first() if pk else None
    if name is None:
        return 1
    before = Q(name__lt=name) | Q(name=name, pk__lt=pk)
    return connections.filter(before).count() // CONNECTIONS_PER_PAGE + 1


def _build_row(
    connection: Any,  # noqa: ANN401 - annotated.
    links: Sequence[Link],
    history: Sequence[Link],
    search: Search,
) -> ConnectionRow:
    is_open = connection.pk == search.connection_id
    row = ConnectionRow(connection=connection, links=links, history=history, is_open=is_open)
    if not is_open:
        return row
    row = replace(row, search=search.campaign)
    if not search.shows_unlinked:
        return row
    unlinked, count = _get_candidates(connection, search)
    return replace(row, unlinked=unlinked, unlinked_count=count)


def _get_links(connections: Sequence[Connection], search: Search) -> dict[int, list[Link]]:
    """Return the active links by connection id; of the expanded one, those that fit the search."""
    rows = Link.objects.active().filter(connection__in=connections)
    if search.campaign:
        matches = Q(campaign__name__icontains=search.campaign) | Q(campaign__key=search.campaign)
        rows = rows.filter(matches | ~Q(connection=search.connection_id))
    rows = rows.select_related("campaign", "linked_by").order_by("campaign__name")
    links: dict[int, list[Link]] = defaultdict(list)
    for link in rows:
        if len(links[link.connection_id]) < MAX_CAMPAIGNS:
            links[link.connection_id].append(link)
    return links


def _get_candidates(connection: Connection, search: Search) -> tuple[list[LinkCandidate], int]:
    """Return the account's campaigns that are not linked to the connection, and their number."""
    linked = Link.objects.active().filter(connection=connection).values("campaign")
    rows = Campaign.objects.filter(account=connection.account_id).exclude(pk__in=linked)
    rows = rows.exclude(status=Campaign.Status.ARCHIVED)
    if search.campaign:
        rows = rows.filter(Q(name__icontains=search.campaign) | Q(key=search.campaign))
    campaigns = list(rows.order_by("name")[:MAX_CAMPAIGNS])
    withheld = {
        kind: withheld_attributes(connection, kind) for kind in {row.kind for row in campaigns}
    }
    count = rows.count() if len(campaigns) == MAX_CAMPAIGNS else len(campaigns)
    return [LinkCandidate(campaign=row, withheld=withheld[row.kind]) for row in campaigns], count


def _get_history(connections: Sequence[Connection]) -> dict[int, list[Link]]:
    """Return the latest links by connection id, including ended ones."""
    number = Window(RowNumber(), partition_by=F("connection"), order_by=F("linked_at").desc())
    rows = Link.objects.filter(connection__in=connections).annotate(number=number)
    rows = rows.filter(number__lte=_MAX_HISTORY_LINKS)
    history: dict[int, list[Link]] = defaultdict(list)
    for link in rows.select_related("campaign", "linked_by", "unlinked_by").order_by("-linked_at"):
        history[link.connection_id].append(link)
    return history


def url_for(connection: Connection, *, unlinked: bool = False, campaign: str = "") -> str:
    """Return the URL of the page with this connection expanded."""
    query: dict[str, object] = {"connection": connection.pk}
    if unlinked:
        query["unlinked"] = 1
    if campaign:
        query["campaign"] = campaign
    url = reverse("admin:real_time_referral")
    return f"{url}?{urlencode(query)}#connection-{connection.pk}"
