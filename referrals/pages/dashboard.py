"""The context of the dashboard: deliveries over time, connections, and what needs a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from config.queue import heartbeats
from config.queue.job_queue import QueueUnavailableError
from connections.core.response.outcomes import Outcome
from connections.models import Connection
from connections.permissions import PERM_VIEW_DELIVERY
from referrals.models import Delivery, DeliveryAttempt
from referrals.monitoring.statistics import (
    WINDOWS,
    Activity,
    Backlog,
    Traffic,
    Window,
    get_backlogs,
    get_traffic,
)
from referrals.pages.charts import STACK, build_chart, sparkline_points
from referrals.pages.onboarding import onboarding_steps
from referrals.statuses import NEEDING_A_PERSON, DeliveryStatus
from referrals.throttling.breaker import BreakerStatus
from referrals.throttling.breaker_rows import to_domain

MAX_CONNECTIONS = 50
MAX_CONNECTIONS_PER_ITEM = 5
"""Connections that are listed for each item that needs a person."""

_EXPLANATIONS = {
    Outcome.UNAUTHORIZED: "The CRM refuses the credentials. Mend them and release the connection.",
    Outcome.UNRECOGNISED: "No rule covers these answers. Add one, then re-read.",
    Outcome.UNKNOWN: "Sent, but no answer came. Look in the CRM, then replay or cancel.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCount:
    """How many deliveries of one connection need a person, and the URL of their list."""

    connection: Connection
    count: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionItem:
    """The deliveries of one outcome that need a person, and the connections with most of them."""

    outcome: str
    count: int
    explanation: str
    url: str
    top_connections: Sequence[ConnectionCount]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLine:
    """One connection's line in the table of connections.

    `breaker_open_until` is set if the connection is active and its breaker is open.
    """

    connection: Any
    breaker_open_until: datetime | None
    activity: Activity
    backlog: Backlog
    sparkline: str

    @property
    def urgency(self) -> tuple[bool, int, int]:
        """The sort key: connections that send nothing first, then those with the most to do."""
        is_sending = (
            self.connection.state == Connection.State.ACTIVE and self.breaker_open_until is None
        )
        return (is_sending, -self.backlog.waiting, -sum(self.activity.totals))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The last heartbeat of a worker or of the tick."""

    name: str
    at: datetime | None
    is_alive: bool


def dashboard_context(request: HttpRequest) -> Mapping[str, Any]:
    """Return the template context, with data of the user's accounts only.

    Without the permission to view deliveries it has no data.
    """
    user = request.user
    if not user.has_perm(PERM_VIEW_DELIVERY):
        return {"can_view_deliveries": False}
    now = timezone.now()
    window = WINDOWS.get(request.GET.get("window", ""), WINDOWS["day"])
    deliveries = Delivery.objects.visible_to(user)
    traffic = get_traffic(deliveries, DeliveryAttempt.objects.visible_to(user), window, now)
    backlogs = get_backlogs(deliveries)
    is_new = not backlogs and not traffic.counts and not deliveries.exists()
    return {
        "can_view_deliveries": True,
        "heartbeats": get_heartbeats(now),
        "onboarding_steps": onboarding_steps(user) if is_new else (),
        **_chart_context(traffic, window),
        **_connections_context(user, traffic, backlogs, now),
    }


def _chart_context(traffic: Traffic, window: Window) -> dict[str, Any]:
    counts = traffic.counts
    return {
        "window": window,
        "windows": WINDOWS.values(),
        "date_format": _date_format(window),
        "chart": build_chart(traffic.steps),
        "legend": [(status, counts[status]) for status in STACK if counts[status]],
        "total": counts.total(),
        "success_rate": Activity(counts=counts).success_rate,
    }


def _connections_context(
    user: Any,  # noqa: ANN401 - any kind of user.
    traffic: Traffic,
    backlogs: Mapping[int, Backlog],
    now: datetime,
) -> dict[str, Any]:
    rows = Connection.objects.visible_to(user).with_is_tested()
    connections = list(rows.select_related("account", "breaker"))
    lines = [_build_line(row, traffic.activities, backlogs, now) for row in connections]
    lines.sort(key=lambda line: line.urgency)
    return {
        "attention": _attention_items(connections, backlogs),
        "held_connections": [
            line for line in lines if line.connection.state == Connection.State.HELD
        ],
        "connections": lines[:MAX_CONNECTIONS],
        "hidden_count": max(0, len(lines) - MAX_CONNECTIONS),
    }


def get_heartbeats(now: datetime) -> list[Heartbeat] | None:
    """Return the heartbeats of the workers and the tick; None if Redis does not answer."""
    try:
        heartbeats_by_name = heartbeats.read_heartbeats()
    except QueueUnavailableError:
        return None
    return [
        Heartbeat(
            name=name,
            at=heartbeats_by_name.get(name),
            is_alive=heartbeats.is_alive(heartbeats_by_name, name, now),
        )
        for name in (heartbeats.WORKER, heartbeats.TICK)
    ]


def _build_line(
    connection: Any,  # noqa: ANN401 - with `is_tested`.
    activities: Mapping[int, Activity],
    backlogs: Mapping[int, Backlog],
    now: datetime,
) -> ConnectionLine:
    activity = activities.get(connection.pk, Activity())
    return ConnectionLine(
        connection=connection,
        breaker_open_until=_breaker_open_until(connection, now),
        activity=activity,
        backlog=backlogs.get(connection.pk, Backlog()),
        sparkline=sparkline_points(activity.totals),
    )


def _breaker_open_until(connection: Connection, now: datetime) -> datetime | None:
    """Return when the open breaker of an active connection lets a trial through."""
    row = getattr(connection, "breaker", None)
    if row is None or connection.state != Connection.State.ACTIVE:
        return None
    breaker = to_domain(row)
    return breaker.open_until if breaker.status(now) is BreakerStatus.OPEN else None


def _attention_items(
    connections: Sequence[Connection], backlogs: Mapping[int, Backlog]
) -> list[AttentionItem]:
    items = []
    for status in NEEDING_A_PERSON:
        counts = _counts_by_connection(connections, backlogs, status)
        if counts:
            items.append(
                AttentionItem(
                    outcome=status.value,
                    count=sum(count for _, count in counts),
                    explanation=_EXPLANATIONS[Outcome(status.value)],
                    url=_log_url(status),
                    top_connections=[
                        ConnectionCount(connection=row, count=count, url=_log_url(status, row.pk))
                        for row, count in counts[:MAX_CONNECTIONS_PER_ITEM]
                    ],
                )
            )
    return items


def _counts_by_connection(
    connections: Sequence[Connection], backlogs: Mapping[int, Backlog], status: DeliveryStatus
) -> list[tuple[Connection, int]]:
    """Return the connections that have such deliveries, the highest count first."""
    counts = [(row, _count(backlogs.get(row.pk, Backlog()), status)) for row in connections]
    return sorted((pair for pair in counts if pair[1]), key=lambda pair: -pair[1])


def _count(backlog: Backlog, status: DeliveryStatus) -> int:
    """Return how many deliveries need a person; refused credentials include pending ones."""
    finished = backlog.needing_a_person.get(status.value, 0)
    is_unauthorized = status is DeliveryStatus.UNAUTHORIZED
    return finished + backlog.unauthorized if is_unauthorized else finished


def _log_url(status: DeliveryStatus, connection_id: int | None = None) -> str:
    """Return the URL of the delivery log, filtered by outcome and, if given, by connection."""
    query: dict[str, object] = {"outcome": status.value}
    if connection_id is not None:
        query["connection"] = connection_id
    return f"{reverse('admin:referrals_delivery_changelist')}?{urlencode(query)}"


def _date_format(window: Window) -> str:
    """Return the template date format for the starts of the window's steps."""
    return {"hour": "H:i", "day": "H:i", "week": "j M, H:i", "month": "j M"}[window.name]
