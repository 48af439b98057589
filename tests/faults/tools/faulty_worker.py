"""A worker that fails at a chosen step; the product itself has no hooks for it.

    FAULT=mid_send FAULT_AFTER=100 python -m tests.faults.tools.faulty_worker

It is `manage.py worker` with one function replaced. `FAULT` names the step; the worker fails there
after `FAULT_AFTER` deliveries.
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

# As Any: mypy would refuse to replace their functions.
PUMP: Any = pump
SENDER: Any = connection_sender.ConnectionSender
CLIENT: Any = client
THREAD_POOL: Any = thread_pool.ThreadPool

_MIN_IN_FLIGHT = 5

_counter = itertools.count(1)
_FAULT_AFTER = int(os.environ.get("FAULT_AFTER", "100"))


def count_deliveries(count: int) -> bool:
    """Count so many more deliveries; return True once there are more than FAULT_AFTER."""
    numbers = [next(_counter) for _ in range(count)]
    return bool(numbers) and numbers[-1] > _FAULT_AFTER


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def after_claim() -> None:
    """Fail after a claim is committed and before it is sent."""
    claim = PUMP.claim

    def fail(**options: Any) -> Any:
        claims = claim(**options)
        if count_deliveries(len(claims)):
            kill_self()
        return claims

    PUMP.claim = fail


def many_in_flight() -> None:
    """Fail with five deliveries in flight or more, as many as a slow CRM gets."""
    submit = THREAD_POOL.submit

    def fail(self: Any, task: Any) -> None:
        submit(self, task)
        if count_deliveries(1) and self.in_flight >= _MIN_IN_FLIGHT:
            kill_self()

    THREAD_POOL.submit = fail


def mid_send() -> None:
    """Fail between the last byte of a request and the first byte of its response."""
    send = CLIENT._send

    def fail(stream: Any, message: bytes) -> None:
        send(stream, message)
        if count_deliveries(1):
            kill_self()

    CLIENT._send = fail


def after_response() -> None:
    """Fail after a response is read and before it is recorded."""
    deliver = SENDER.deliver

    def fail(self: Any, *arguments: Any) -> Any:
        finished = deliver(self, *arguments)
        if count_deliveries(1):
            kill_self()
        return finished

    SENDER.deliver = fail


def mid_record() -> None:
    """Fail after the results are written and before they are committed."""
    _wrap_backend("complete", after=kill_self)


def after_record() -> None:
    """Fail after the results are committed and before the worker continues."""
    complete = PUMP.complete

    def fail(results: Any) -> Any:
        recorded = complete(results)
        if count_deliveries(len(results)):
            kill_self()
        return recorded

    PUMP.complete = fail


def cut_claiming() -> None:
    """Cut the database connection repeatedly, before a claim and before its commit."""
    _wrap_backend("take", before=_cut_every_seventh_time)
    _wrap_backend("take", after=_cut_every_seventh_time)


def cut_recording() -> None:
    """Cut the database connection repeatedly, before results are written and before the commit."""
    _wrap_backend("complete", before=_cut_every_seventh_time)
    _wrap_backend("complete", after=_cut_every_seventh_time)


def clock() -> None:
    """Shift the worker's clock by CLOCK_OFFSET seconds."""
    now = timezone.now
    offset = timedelta(seconds=float(os.environ["CLOCK_OFFSET"]))

    def shifted_now() -> datetime:
        return now() + offset

    timezone.now = shifted_now


def _wrap_backend(
    name: str, before: Callable[[], None] | None = None, after: Callable[[], None] | None = None
) -> None:
    backend = type(get_backend())
    method = getattr(backend, name)

    def fail(self: Any, batch: Any, **options: Any) -> Any:
        if before and count_deliveries(len(batch)):
            before()
        result = method(self, batch, **options)
        if after and count_deliveries(len(batch)):
            after()
        return result

    setattr(backend, name, fail)


_is_seventh = itertools.cycle([False] * 6 + [True])


def _cut_every_seventh_time() -> None:
    """Cut the database connection at every seventh call, so that some work gets done."""
    if next(_is_seventh):
        pid = connection.connection.info.backend_pid
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])


FAULTS = {
    fault.__name__: fault
    for fault in (
        after_claim, many_in_flight, mid_send, after_response, mid_record, after_record,
        cut_claiming, cut_recording, clock,
    )
}  # fmt: skip

if __name__ == "__main__":
    FAULTS[os.environ["FAULT"]]()
    execute_from_command_line(["manage.py", "worker"])
