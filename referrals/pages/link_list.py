"""What the Real-time Referral page shows of each connection, from a handful of queries."""

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

CONNECTIONS_A_PAGE = 25
MAX_CAMPAIGNS = 100
"""Campaigns that are shown of each list; a search brings the others."""

_MAX_HISTORY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the address asks for: connections by name, one of them expanded, campaigns in it."""

    text: str = ""
    page: str = ""
    connection: int | None = None
    shows_unlinked: bool = False
    campaign: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Search:
        """From the address; what is no number asks for nothing."""
        number = query.get("connection", "")
        return cls(
            text=query.get("q", "").strip(),
            page=query.get("page", ""),
            connection=int(number) if number.isdecimal() and len(number) < 19 else None,
            shows_unlinked="unlinked" in query,
            campaign=query.get("campaign", "").strip(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCandidate:
    """A campaign that could be linked, or what stands against it."""

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
    def show_unlinked(self) -> str:
        """The address that shows the unlinked campaigns as well."""
        return url_for(self.connection, unlinked=True)

    @property
    def hide_unlinked(self) -> str:
        """The address that shows the linked ones alone."""
        return url_for(self.connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPage:
    """One page of connections."""

    rows: Sequence[ConnectionRow]
    page: Page[Any]


def connection_rows(user: Any, search: Search) -> ConnectionPage:  # noqa: ANN401 - any kind of user.
    """The connections that the user may see and that fit the search."""
    connections = Connection.objects.visible_to(user).with_is_tested()
    connections = connections.annotate(
        linked_count=Count("links", filter=Q(links__unlinked_at=None))
    ).select_related("account", "breaker")
    if search.text:
        connections = connections.filter(
            Q(name__icontains=search.text) | Q(account__name__icontains=search.text)
        )
    connections = connections.order_by("name", "pk")
    number = search.page or _page_of(search.connection, connections)
    page = Paginator(connections, CONNECTIONS_A_PAGE).get_page(number)
    links, history = _links(list(page), search), _history(list(page))
    rows = [_row(one, links[one.pk], history[one.pk], search) for one in page]
    return ConnectionPage(rows=rows, page=page)


def _page_of(pk: int | None, connections: QuerySet[Connection]) -> int:
    """The page on which the connection stands; the first where there is no such connection."""
    name = connections.filter(pk=pk).values_list("name", flat=True).first() if pk else None
    if name is None:
        return 1
    before = Q(name__lt=name) | Q(name=name, pk__lt=pk)
    return connections.filter(before).count() // CONNECTIONS_A_PAGE + 1


def _row(
    connection: Any,  # noqa: ANN401 - annotated.
    links: Sequence[Link],
    history: Sequence[Link],
    search: Search,
) -> ConnectionRow:
    is_open = connection.pk == search.connection
    row = ConnectionRow(connection=connection, links=links, history=history, is_open=is_open)
    if not is_open:
        return row
    row = replace(row, search=search.campaign)
    if not search.shows_unlinked:
        return row
    unlinked, count = _unlinked(connection, search)
    return replace(row, unlinked=unlinked, unlinked_count=count)


def _links(connections: Sequence[Connection], search: Search) -> dict[int, list[Link]]:
    """The active links of the connections; of the expanded one those that fit the search."""
    rows = Link.objects.active().filter(connection__in=connections)
    if search.campaign:
        fits = Q(campaign__name__icontains=search.campaign) | Q(campaign__key=search.campaign)
        rows = rows.filter(fits | ~Q(connection=search.connection))
    rows = rows.select_related("campaign", "linked_by").order_by("campaign__name")
    links: dict[int, list[Link]] = defaultdict(list)
    for link in rows:
        if len(links[link.connection_id]) < MAX_CAMPAIGNS:
            links[link.connection_id].append(link)
    return links


def _unlinked(connection: Connection, search: Search) -> tuple[list[LinkCandidate], int]:
    """The account's campaigns that are not linked to the connection, and how many they are."""
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


def _history(connections: Sequence[Connection]) -> dict[int, list[Link]]:
    """The latest links of each connection, also those that have ended."""
    number = Window(RowNumber(), partition_by=F("connection"), order_by=F("linked_at").desc())
    rows = Link.objects.filter(connection__in=connections).annotate(number=number)
    rows = rows.filter(number__lte=_MAX_HISTORY)
    history: dict[int, list[Link]] = defaultdict(list)
    for link in rows.select_related("campaign", "linked_by", "unlinked_by").order_by("-linked_at"):
        history[link.connection_id].append(link)
    return history


def url_for(connection: Connection, *, unlinked: bool = False, campaign: str = "") -> str:
    """The page with this connection expanded, and the same search."""
    query: dict[str, object] = {"connection": connection.pk}
    if unlinked:
        query["unlinked"] = 1
    if campaign:
        query["campaign"] = campaign
    page = reverse("admin:real_time_referral")
    return f"{page}?{urlencode(query)}#connection-{connection.pk}"
