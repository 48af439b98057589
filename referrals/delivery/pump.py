"""Claim what is due, send it from threads and record it in bulk, for one slice of time.

The main thread alone touches the database; the threads build, send and classify. Jobs, commands and
tests all call `deliver_due`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from config import shutdown
from connections.transport import Client
from connections.transport.shared import shared_client
from referrals import db_clock
from referrals.delivery.connection_sender import ConnectionSender, FinishedAttempt
from referrals.delivery.sender_cache import get_senders
from referrals.delivery.thread_pool import ThreadPool
from referrals.leases import Claim, claim, complete, has_due
from referrals.throttling.recorder import HealthRecorder

logger = logging.getLogger(__name__)

Progress = Callable[[Counter[str]], None]

_MIN_NAP_SECONDS, _MAX_NAP_SECONDS = 0.003, 0.05
"""How long the main thread waits before it looks for work again. It is short after a claim, since
more may follow at once; the longer nothing came, the less often it pays to ask."""

_IDLE_SECONDS = 0.5
"""How long a slice with nothing more to claim waits for what is in flight."""

_RECORD_AGAIN_SECONDS = 0.5
"""How long the pump waits before it records again what the database could not take."""

_MAX_AHEAD_FACTOR = 6
"""Times the number of threads. What is claimed ahead must not wait for long: even if all endpoints
hang, threads that wait are replaced, and all of it begins within its lease."""


@dataclass(slots=True)
class Summary:
    """What one slice did: the recorded attempts by outcome, and whether more is due already."""

    outcomes: Counter[str] = field(default_factory=Counter)
    has_more: bool = False

    @property
    def total(self) -> int:
        """Return how many attempts were recorded."""
        return self.outcomes.total()


def deliver_due(
    *,
    seconds: float | None = None,
    client: Client | None = None,
    on_progress: Progress = lambda outcomes: None,
) -> Summary:
    """Deliver what is due until nothing is left, the slice is over, or the process must stop.

    Return what was done; the summary grows while a background thread records what is in flight at
    the end. So a slow CRM never keeps a worker from the others. `finish_in_flight` waits for these
    threads. Call `on_progress` with the outcomes of each batch once it is recorded.
    """
    pump = _Pump(client or shared_client(), on_progress)
    try:
        pump.run(settings.DELIVERY_SLICE_SECONDS if seconds is None else seconds)
    except BaseException:
        _close_connection()
        raise
    finally:
        if pump.is_in_flight:
            _finish_in_background(pump)
        else:
            pump.finish()
    return pump.summary


def finish_in_flight() -> None:
    """Wait until everything that this process has sent is recorded."""
    for thread in tuple(_background_threads):
        thread.join()


def _close_connection() -> None:
    """Close the database connection, so that the next job of this process gets a clean one.

    After an interrupt it may be inside an unfinished query of which Django knows nothing.
    """
    if not connection.in_atomic_block:
        connection.close()


_background_threads: list[threading.Thread] = []


def _finish_in_background(pump: _Pump) -> None:
    def finish() -> None:
        try:
            pump.finish()
        finally:
            connection.close()
            _background_threads.remove(thread)

    thread = threading.Thread(target=finish, name="finish-in-flight", daemon=True)
    _background_threads.append(thread)
    thread.start()


class _Pump:
    """One slice: what it has claimed, sent and not yet recorded."""

    def __init__(self, client: Client, on_progress: Progress) -> None:
        self._client = client
        self._on_progress = on_progress
        self._pool: ThreadPool[FinishedAttempt | None] = ThreadPool(settings.DELIVERY_THREADS)
        self._senders: dict[int, ConnectionSender] = {}
        self._unrecorded: list[FinishedAttempt] = []
        self._is_limited = False
        self._nap_seconds = _MIN_NAP_SECONDS
        self._recorder = HealthRecorder()
        self._lease = timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)
        self.summary = Summary()

    @property
    def is_in_flight(self) -> bool:
        """Return True while something is sent or to be recorded."""
        return self._pool.in_flight > 0 or bool(self._unrecorded)

    def run(self, seconds: float) -> None:
        """Claim, send and record until nothing is due or the slice is over."""
        end = time.monotonic() + seconds
        idle_since = None
        db_clock.adjust()
        while not shutdown.requested() and time.monotonic() < end:
            if self._claim_some() or has_due(db_clock.now()):
                idle_since = None
            else:
                idle_since = idle_since or time.monotonic()
                if not self.is_in_flight or time.monotonic() - idle_since > _IDLE_SECONDS:
                    return
            self._collect()
            self._nap_seconds = min(2 * self._nap_seconds, _MAX_NAP_SECONDS)
        self.summary.has_more = has_due(db_clock.now())

    def finish(self) -> None:
        """Record what is still in flight, and close the thread pool.

        Wait no longer than the lease: what is not recorded then is unknown anyway.
        """
        end = time.monotonic() + self._lease.total_seconds()
        while self.is_in_flight and time.monotonic() < end:
            self._collect()
        self._recorder.flush()
        self._pool.close()

    def _claim_some(self) -> bool:
        """Claim for the free threads and hand the claims to them.

        Return False if nothing may be claimed now; True also if few threads are free, for then it
        is too early to claim.
        """
        ahead = self._claim_ahead()
        capacity = self._pool.free + ahead
        if capacity < max(1, settings.DELIVERY_THREADS // 4) + ahead // 2:
            return True
        now = db_clock.now()
        claims = claim(limit=capacity, now=now, lease=self._lease)
        self._is_limited = len(claims) < capacity
        if claims:
            self._nap_seconds = _MIN_NAP_SECONDS
        self._load_senders({one.connection_id for one in claims})
        send_by = now + self._lease - timedelta(seconds=settings.DELIVERY_TOTAL_TIMEOUT)
        for one in claims:
            self._send_or_finish(one, send_by)
        return bool(claims)

    def _claim_ahead(self) -> int:
        """Return how many to claim beyond the free threads: as many as were finished lately.

        Quick threads find work while the next claim is made, and a claim, which costs the same for
        one and for many, is made for many.
        """
        # Where limits gave less than was asked for, asking for more gives nothing.
        if self._is_limited:
            return 0
        most: int = _MAX_AHEAD_FACTOR * settings.DELIVERY_THREADS
        return min(self._pool.finished_recently, most)

    def _load_senders(self, connection_ids: set[int]) -> None:
        new = connection_ids - self._senders.keys()
        if new:
            self._senders.update(get_senders(new))

    def _send_or_finish(self, claimed: Claim, send_by: datetime) -> None:
        """Hand the claim to a thread, or complete it if it must not be sent again."""
        sender = self._senders[claimed.connection_id]
        result = sender.build_lost_result(claimed)
        if result is None:
            self._pool.submit(partial(_deliver, sender, self._client, claimed, send_by))
        else:
            complete([result])

    def _collect(self) -> None:
        """Wait a moment for finished attempts, and record them."""
        if self._pool.in_flight == 0:
            time.sleep(self._nap_seconds)
        else:
            self._unrecorded += filter(None, self._pool.collect(self._nap_seconds))
        if self._unrecorded:
            self._record()
        self._recorder.flush_if_due()

    def _record(self) -> None:
        """Record the finished attempts, or keep them if the database is away for a moment.

        They are kept until it is back, or until their leases have ended.
        """
        try:
            recorded = _complete(self._unrecorded)
        except (OperationalError, InterfaceError) as error:
            self._keep_for_later(error)
            return
        finished = [one for one in self._unrecorded if one.claim.delivery_id in recorded]
        self._unrecorded = []
        for one in finished:
            self._recorder.add(one.claim.connection_id, one.exchange_result)
        outcomes = Counter(one.attempt.meaning.outcome.value for one in finished)
        self.summary.outcomes.update(outcomes)
        self._on_progress(outcomes)

    def _keep_for_later(self, error: Exception) -> None:
        """Drop the attempts whose lease has ended, and wait before the others are recorded."""
        logger.warning("Results could not be recorded and are kept: %s", error)
        connection.close()
        time.sleep(_RECORD_AGAIN_SECONDS)
        oldest = db_clock.now() - self._lease
        self._unrecorded = [one for one in self._unrecorded if one.result.began_after(oldest)]


def _deliver(
    sender: ConnectionSender, client: Client, claimed: Claim, send_by: datetime
) -> FinishedAttempt | None:
    """Make one attempt, or return None if it is too late for that.

    It is if this process was frozen meanwhile: another worker may have the delivery before this
    attempt is done.
    """
    return sender.deliver(client, claimed) if db_clock.now() <= send_by else None


def _complete(finished: Sequence[FinishedAttempt]) -> set[int]:
    """Record all attempts at once, or one by one if the database refuses something in the batch.

    Return the ids of the deliveries that were recorded. Raise OperationalError or InterfaceError
    if the database is away.
    """
    try:
        return complete([one.result for one in finished])
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        return _complete_one_by_one(finished)


def _complete_one_by_one(finished: Sequence[FinishedAttempt]) -> set[int]:
    """Record what the database takes, so that one refused attempt costs the others nothing."""
    recorded: set[int] = set()
    for one in finished:
        try:
            recorded |= complete([one.result])
        except (DatabaseError, InterfaceError):
            # Its lease will end, and it counts as unknown then.
            logger.exception("The answer for delivery %s was lost", one.claim.delivery_id)
    return recorded
