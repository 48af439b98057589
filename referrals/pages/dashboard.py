"""The admin's index: what was delivered, how each connection does, and what waits for a person.

Counts nothing itself: the numbers are `referrals.monitoring.statistics`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import RedisError

from config.queue import heartbeats
from connections.core.response.outcomes import Outcome
from connections.models import Connection
from referrals.models import Delivery, DeliveryAttempt
from referrals.monitoring.statistics import (
    WINDOWS,
    Activity,
    Backlog,
    Traffic,
    Window,
    backlogs,
    traffic,
)
from referrals.pages.charts import STACK, chart, sparkline
from referrals.pages.onboarding import onboarding_steps
from referrals.statuses import NEEDING_A_PERSON, DeliveryStatus

MAX_CONNECTIONS = 50
MAX_CONNECTIONS_PER_ITEM = 5
"""Connections that are named for each thing that waits for a person."""

_EXPLANATIONS = {
    Outcome.UNAUTHORIZED: "The CRM refuses the credentials. Mend them and release the connection.",
    Outcome.UNRECOGNISED: "No rule covers these answers. Add one, then re-read.",
    Outcome.UNKNOWN: "Sent, but no answer came. Look in the CRM, then replay or cancel.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCount:
    """One connection with so many deliveries that wait for a person, and where they are listed."""

    connection: Connection
    count: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionItem:
    """One thing that waits for a person, with the connections where most of it does."""

    outcome: str
    count: int
    explanation: str
    address: str
    top_connections: Sequence[ConnectionCount]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLine:
    """One connection's line: `state` says also that it rests."""

    connection: Any
    state: str
    activity: Activity
    backlog: Backlog
    spark: str

    @property
    def urgency(self) -> tuple[bool, int, int]:
        """For sorting: trouble first, then what has most to do."""
        is_closed = self.state == Connection.State.ACTIVE
        return (is_closed, -self.backlog.waiting, -sum(self.activity.totals))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """When a part of the installation was last heard of."""

    name: str
    at: datetime | None
    is_alive: bool


def dashboard(request: HttpRequest) -> Mapping[str, Any]:
    """What the index shows; of the user's accounts only, and nothing without the permission."""
    user = request.user
    if not user.has_perm("referrals.view_delivery"):
        return {"may_watch": False}
    now = timezone.now()
    window = WINDOWS.get(request.GET.get("window", ""), WINDOWS["day"])
    deliveries = Delivery.objects.visible_to(user)
    flow = traffic(deliveries, DeliveryAttempt.objects.visible_to(user), window, now)
    left = backlogs(deliveries)
    is_new = not left and not flow.counts and not deliveries.exists()
    return {
        "may_watch": True,
        "signs": get_heartbeats(now),
        "onboarding_steps": onboarding_steps(user) if is_new else (),
        **_chart(flow, window),
        **_connections(user, flow, left, now),
    }


def _chart(flow: Traffic, window: Window) -> dict[str, Any]:
    counts = flow.counts
    return {
        "window": window,
        "windows": WINDOWS.values(),
        "shape": _shape(window),
        "chart": chart(flow.steps),
        "legend": [(status, counts[status]) for status in STACK if counts[status]],
        "total": counts.total(),
        "success_rate": Activity(counts=counts).success_rate,
    }


def _connections(
    user: Any,  # noqa: ANN401 - any kind of user.
    flow: Traffic,
    left: Mapping[int, Backlog],
    now: datetime,
) -> dict[str, Any]:
    rows = Connection.objects.visible_to(user).with_is_tested()
    connections = list(rows.select_related("account", "breaker"))
    lines = [_health(one, flow.activities, left, now) for one in connections]
    lines.sort(key=lambda line: line.urgency)
    return {
        "attention": _attention(connections, left),
        "held": [line for line in lines if line.state == Connection.State.HELD],
        "health": lines[:MAX_CONNECTIONS],
        "more": max(0, len(lines) - MAX_CONNECTIONS),
    }


def get_heartbeats(now: datetime) -> list[Heartbeat] | None:
    """Whether workers and the tick are alive; None where Redis, which would know, is away."""
    try:
        heartbeats_by_name = heartbeats.read_heartbeats()
    except RedisError:
        return None
    return [
        Heartbeat(
            name=name,
            at=heartbeats_by_name.get(name),
            is_alive=heartbeats.is_alive(heartbeats_by_name, name, now),
        )
        for name in (heartbeats.WORKER, heartbeats.TICK)
    ]


def _health(
    connection: Any,  # noqa: ANN401 - with `is_tested`.
    activities: Mapping[int, Activity],
    left: Mapping[int, Backlog],
    now: datetime,
) -> ConnectionLine:
    activity = activities.get(connection.pk, Activity())
    health = getattr(connection, "breaker", None)
    is_open = health is not None and health.open_until and health.open_until > now
    is_active = connection.state == Connection.State.ACTIVE
    return ConnectionLine(
        connection=connection,
        state="resting" if is_active and is_open else connection.state,
        activity=activity,
        backlog=left.get(connection.pk, Backlog()),
        spark=sparkline(activity.totals),
    )


def _attention(
    connections: Iterable[Connection], left: Mapping[int, Backlog]
) -> list[AttentionItem]:
    found = []
    for status in NEEDING_A_PERSON:
        counts = {one: _open(left.get(one.pk, Backlog()), status) for one in connections}
        total = sum(counts.values())
        if total:
            worst = sorted((one for one in counts if counts[one]), key=lambda one: -counts[one])
            top_connections = [
                ConnectionCount(connection=one, count=counts[one], address=_log(status, one.pk))
                for one in worst[:MAX_CONNECTIONS_PER_ITEM]
            ]
            found.append(
                AttentionItem(
                    outcome=status.value,
                    count=total,
                    explanation=_EXPLANATIONS[Outcome(status.value)],
                    address=_log(status),
                    top_connections=top_connections,
                )
            )
    return found


def _open(backlog: Backlog, status: DeliveryStatus) -> int:
    settled = backlog.open.get(status.value, 0)
    return settled + backlog.unauthorized if status is DeliveryStatus.UNAUTHORIZED else settled


def _log(status: DeliveryStatus, connection: int | None = None) -> str:
    """The log's address for what waits with this outcome."""
    query: dict[str, object] = {"outcome": status.value}
    if connection is not None:
        query["connection"] = connection
    return f"{reverse('admin:referrals_delivery_changelist')}?{urlencode(query)}"


def _shape(window: Window) -> str:
    """How the starts of a window's steps are written."""
    return {"hour": "H:i", "day": "H:i", "week": "j M, H:i", "month": "j M"}[window.name]
