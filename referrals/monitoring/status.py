"""Whether the installation works, as one value for commands, probes and pages; changes nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Min, Q
from redis.exceptions import RedisError

from config.queue import heartbeats
from config.queue.job_queue import waiting_jobs
from connections.models import Connection
from referrals import db_clock
from referrals.models import BreakerState, Delivery

_MAX_WAIT_SECONDS = 60.0
"""How long something that may be sent can wait for a worker before the installation is unwell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is waiting, for how long, and what keeps it; ages are in seconds."""

    problems: tuple[str, ...]
    jobs_waiting: int | None
    deliveries_waiting: int
    due: int
    oldest_due_seconds: float | None
    in_flight: int
    paused: int
    held: int
    resting: int
    worker_beat: datetime | None
    tick_beat: datetime | None

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong that somebody must mend at night."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        values = {**asdict(self), "problems": list(self.problems), "healthy": self.is_healthy}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
        }


def read_status() -> Status:
    """The status now; raises DatabaseError where there is no database to ask."""
    db_clock.adjust()
    now = db_clock.now()
    heartbeats_by_name, jobs = _ask_redis()
    due = Delivery.objects.claimable(now).aggregate(count=Count("pk"), oldest=Min("due_at"))
    oldest = due["oldest"] and (now - due["oldest"]).total_seconds()
    return Status(
        problems=tuple(_problems(heartbeats_by_name, _neglected_seconds(now), now)),
        jobs_waiting=jobs,
        deliveries_waiting=Delivery.objects.pending().count(),
        due=due["count"],
        oldest_due_seconds=oldest,
        in_flight=Delivery.objects.in_flight().count(),
        paused=Connection.objects.filter(state=Connection.State.PAUSED).count(),
        held=Connection.objects.filter(state=Connection.State.HELD).count(),
        resting=BreakerState.objects.filter(open_until__gt=now).count(),
        worker_beat=(heartbeats_by_name or {}).get(heartbeats.WORKER),
        tick_beat=(heartbeats_by_name or {}).get(heartbeats.TICK),
    )


def readiness_problems() -> list[str]:
    """Why this web process should get no requests now: the database is all that it needs.

    Without Redis or workers referrals are accepted all the same, and wait.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return ["The database does not answer."]
    return []


def _ask_redis() -> tuple[dict[str, datetime] | None, int | None]:
    try:
        return heartbeats.read_heartbeats(), waiting_jobs()
    except RedisError:
        return None, None


def _neglected_seconds(now: datetime) -> float | None:
    """How long the oldest has waited for a worker alone: what waits for a limit of its connection
    waits by somebody's wish."""
    limited = Q(connection__limits__has_any_keys=["per_second", "in_flight"])
    oldest = Delivery.objects.claimable(now).exclude(limited).aggregate(at=Min("due_at"))["at"]
    return None if oldest is None else (now - oldest).total_seconds()


def _problems(
    heartbeats_by_name: dict[str, datetime] | None, neglected: float | None, now: datetime
) -> list[str]:
    if heartbeats_by_name is None:
        return ["Redis does not answer; deliveries wait until it does."]
    problems = [
        f"No {name} was heard of for {heartbeats.MAX_SILENCE_SECONDS} seconds: "
        f"start manage.py {name}."
        for name in (heartbeats.WORKER, heartbeats.TICK)
        if not heartbeats.is_alive(heartbeats_by_name, name, now)
    ]
    if neglected is not None and neglected > _MAX_WAIT_SECONDS:
        problems.append(f"A delivery has been due for {neglected:.0f} seconds: start more workers.")
    return problems
