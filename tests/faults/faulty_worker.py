"""A worker that fails at a chosen step; the product itself has no hook for any of this.

    FAULT=mid_send FAULT_AFTER=100 python -m tests.faults.faulty_worker

It is `manage.py worker` with one function replaced. `FAULT` names the step and `FAULT_AFTER` how
many deliveries it lets pass before it fails there.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import django

django.setup()

import psycopg  # noqa: E402 - Django's way.
from django.core.management import execute_from_command_line  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from connections.transport import client  # noqa: E402
from referrals.delivery import connection_sender, pump, thread_pool  # noqa: E402
from referrals.leases.claims import get_backend  # noqa: E402

# Whatever is replaced, is replaced behind the type checker's back.
PUMP: Any = pump
SENDER: Any = connection_sender.ConnectionSender
CLIENT: Any = client
THREAD_POOL: Any = thread_pool.ThreadPool

_MIN_IN_FLIGHT = 5

_passed = itertools.count(1)
_after = int(os.environ.get("FAULT_AFTER", "100"))


def is_time(count: int) -> bool:
    """Whether the moment has come, after so many more deliveries."""
    passed = [next(_passed) for _ in range(count)]
    return bool(passed) and passed[-1] > _after


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def after_claim() -> None:
    """Die with a claim that was committed and never sent."""
    claim = PUMP.claim

    def fail(**options: Any) -> Any:
        taken = claim(**options)
        if is_time(len(taken)):
            die()
        return taken

    PUMP.claim = fail


def many_in_flight() -> None:
    """Die with five deliveries in flight or more: as many as a slow CRM would get."""
    submit = THREAD_POOL.submit

    def fail(self: Any, work: Any) -> None:
        submit(self, work)
        if is_time(1) and self.in_flight >= _MIN_IN_FLIGHT:
            die()

    THREAD_POOL.submit = fail


def mid_send() -> None:
    """Die between the last byte of a request and the first of its answer."""
    send = CLIENT._send

    def fail(wire: Any, message: bytes) -> None:
        send(wire, message)
        if is_time(1):
            die()

    CLIENT._send = fail


def after_answer() -> None:
    """Die with an answer that was read and never recorded."""
    deliver = SENDER.deliver

    def fail(self: Any, *arguments: Any) -> Any:
        finished = deliver(self, *arguments)
        if is_time(1):
            die()
        return finished

    SENDER.deliver = fail


def mid_record() -> None:
    """Die when the answers are written and not yet committed."""
    _around_backend("complete", after=die)


def after_record() -> None:
    """Die when the answers are committed, and nobody in the process knows."""
    complete = PUMP.complete

    def fail(results: Any) -> Any:
        recorded = complete(results)
        if is_time(len(results)):
            die()
        return recorded

    PUMP.complete = fail


def cut_claiming() -> None:
    """Lose the database, again and again, when a claim begins and when it is to be committed."""
    _around_backend("take", before=_cut_sometimes)
    _around_backend("take", after=_cut_sometimes)


def cut_recording() -> None:
    """Lose the database, again and again, when answers are to be written or committed."""
    _around_backend("complete", before=_cut_sometimes)
    _around_backend("complete", after=_cut_sometimes)


def clock() -> None:
    """Have the wrong time."""
    now = timezone.now
    offset = timedelta(seconds=float(os.environ["CLOCK_OFFSET"]))

    def wrong() -> datetime:
        return now() + offset

    timezone.now = wrong


def _around_backend(
    name: str, before: Callable[[], None] | None = None, after: Callable[[], None] | None = None
) -> None:
    kind = type(get_backend())
    method = getattr(kind, name)

    def fail(self: Any, batch: Any, **options: Any) -> Any:
        if before and is_time(len(batch)):
            before()
        result = method(self, batch, **options)
        if after and is_time(len(batch)):
            after()
        return result

    setattr(kind, name, fail)


_turns = itertools.cycle([False] * 6 + [True])


def _cut_sometimes() -> None:
    """Every seventh time, so that work goes on in between."""
    if next(_turns):
        pid = connection.connection.info.backend_pid
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])


FAULTS = {
    fault.__name__: fault
    for fault in (
        after_claim, many_in_flight, mid_send, after_answer, mid_record, after_record,
        cut_claiming, cut_recording, clock,
    )
}  # fmt: skip

if __name__ == "__main__":
    FAULTS[os.environ["FAULT"]]()
    execute_from_command_line(["manage.py", "worker"])
