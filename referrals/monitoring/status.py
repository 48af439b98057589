"""Read the status of the installation, for the status command and the health checks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Min, Q

from config.queue import heartbeats
from config.queue.job_queue import QueueUnavailableError, waiting_count
from connections.models import Connection
from referrals import db_clock
from referrals.models import BreakerState, Delivery

_MAX_WAIT_SECONDS = 60.0
"""A delivery that waits longer than this for a worker makes the installation unhealthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What waits, for how long and why, and when workers and tick sent their last heartbeat."""

    problems: tuple[str, ...]
    jobs_waiting: int | None
    deliveries_waiting: int
    due: int
    oldest_due_seconds: float | None
    in_flight: int
    paused: int
    held: int
    open_breakers: int
    worker_heartbeat_at: datetime | None
    tick_heartbeat_at: datetime | None

    @property
    def is_healthy(self) -> bool:
        """Whether there is no problem that somebody must fix at once."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the status as a JSON object."""
        values = {**asdict(self), "problems": list(self.problems), "healthy": self.is_healthy}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
        }


def read_status() -> Status:
    """Return the status now. Raise DatabaseError if the database does not answer."""
    db_clock.adjust()
    now = db_clock.now()
    heartbeats_by_name, jobs_waiting = _read_redis()
    due = Delivery.objects.claimable(now).aggregate(count=Count("pk"), oldest=Min("due_at"))
    oldest_due_seconds = due["oldest"] and (now - due["oldest"]).total_seconds()
    return Status(
        problems=tuple(_problems(heartbeats_by_name, _seconds_without_worker(now), now)),
        jobs_waiting=jobs_waiting,
        deliveries_waiting=Delivery.objects.pending().count(),
        due=due["count"],
        oldest_due_seconds=oldest_due_seconds,
        in_flight=Delivery.objects.in_flight(now).count(),
        paused=Connection.objects.filter(state=Connection.State.PAUSED).count(),
        held=Connection.objects.filter(state=Connection.State.HELD).count(),
        open_breakers=BreakerState.objects.open(now).count(),
        worker_heartbeat_at=(heartbeats_by_name or {}).get(heartbeats.WORKER),
        tick_heartbeat_at=(heartbeats_by_name or {}).get(heartbeats.TICK),
    )


def readiness_problems() -> list[str]:
    """Return why this web process should get no requests now; empty if it should.

    It needs the database alone: without Redis or workers, referrals are still accepted, and wait.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return ["The database does not answer."]
    return []


def _read_redis() -> tuple[dict[str, datetime] | None, int | None]:
    """Return the heartbeats and the number of waiting jobs; None if Redis does not answer."""
    try:
        return heartbeats.read_heartbeats(), waiting_count()
    except QueueUnavailableError:
        return None, None


def _seconds_without_worker(now: datetime) -> float | None:
    """Return how long the oldest delivery has waited for nothing but a worker.

    Connections with a limit are left out: their deliveries may wait for the limit.
    """
    limited = Q(connection__limits__has_any_keys=["per_second", "in_flight"])
    oldest = Delivery.objects.claimable(now).exclude(limited).aggregate(at=Min("due_at"))["at"]
    return None if oldest is None else (now - oldest).total_seconds()


def _problems(
    heartbeats_by_name: dict[str, datetime] | None, waited_seconds: float | None, now: datetime
) -> list[str]:
    if heartbeats_by_name is None:
        return ["Redis does not answer; deliveries wait until it does."]
    problems = [
        f"No {name} was heard of for {heartbeats.MAX_SILENCE_SECONDS} seconds: "
        f"start manage.py {name}."
        for name in (heartbeats.WORKER, heartbeats.TICK)
        if not heartbeats.is_alive(heartbeats_by_name, name, now)
    ]
    if waited_seconds is not None and waited_seconds > _MAX_WAIT_SECONDS:
        problems.append(
            f"A delivery has been due for {waited_seconds:.0f} seconds: start more workers."
        )
    return problems
