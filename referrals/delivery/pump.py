"""The pump: claim what is due, send it from threads, record it in bulk, for one slice of time.

The main thread alone touches the database; the threads build, send and classify. Must not know how
the slice was started: a job, a command and a test all call `deliver_due`.
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
"""How long the main thread waits before it looks for new work again: what comes may be followed by
more at once, and the longer nothing came, the less often it pays to ask."""

_IDLE_SECONDS = 0.5
"""How long a slice with nothing more to claim waits for what is under way."""

_RECORD_AGAIN_SECONDS = 0.5

_MAX_AHEAD_FACTOR = 6
"""Times the number of threads: what is claimed ahead must not wait for long, wherever it goes.
Should all endpoints hang, threads that wait are replaced, and all of it begins within its lease."""


@dataclass(slots=True)
class Summary:
    """What one slice did: recorded attempts by outcome, and whether more is due already."""

    outcomes: Counter[str] = field(default_factory=Counter)
    has_more: bool = False

    @property
    def total(self) -> int:
        """How many attempts were recorded."""
        return self.outcomes.total()


def deliver_due(
    *,
    seconds: float | None = None,
    client: Client | None = None,
    on_progress: Progress = lambda outcomes: None,
) -> Summary:
    """Deliver what is due until nothing is left, the slice is over, or the process must stop.

    A job ends although an endpoint may still be thinking: what is under way then is recorded by a
    thread of its own, so that a slow CRM never keeps a worker from the others. `finish_under_way`
    waits for it.
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
    """What broke off may have left the database connection in the middle of something that Django
    knows nothing of; the next job of this process would find it broken."""
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

    thread = threading.Thread(target=finish, name="left-behind", daemon=True)
    _background_threads.append(thread)
    thread.start()


class _Pump:
    """The state of one slice."""

    def __init__(self, client: Client, on_progress: Progress) -> None:
        self._client = client
        self._on_progress = on_progress
        self._senders: ThreadPool[FinishedAttempt | None] = ThreadPool(settings.DELIVERY_THREADS)
        self._channels: dict[int, ConnectionSender] = {}
        self._unrecorded: list[FinishedAttempt] = []
        self._fell_short = False
        self._nap = _MIN_NAP_SECONDS
        self._watch = HealthRecorder()
        self._lease = timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)
        self.summary = Summary()

    @property
    def is_in_flight(self) -> bool:
        """Whether something was sent and is not recorded yet."""
        return self._senders.in_flight > 0 or bool(self._unrecorded)

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
            self._nap = min(2 * self._nap, _MAX_NAP_SECONDS)
        self.summary.has_more = has_due(db_clock.now())

    def finish(self) -> None:
        """Record what is still under way, and let the threads go. What is not recorded when its
        lease ends is unknown anyway, so that nobody waits for longer, whatever interrupted us."""
        end = time.monotonic() + self._lease.total_seconds()
        while self.is_in_flight and time.monotonic() < end:
            self._collect()
        self._watch.write()
        self._senders.close()

    def _claim_some(self) -> bool:
        """Fill the free threads, but not one by one; False where nothing may be claimed now.

        As much as was finished lately is claimed ahead: quick threads find work while the next
        claim is made, and a claim, which costs the same for one and for many, is made for many.
        """
        ahead = min(self._senders.finished_recently, _MAX_AHEAD_FACTOR * settings.DELIVERY_THREADS)
        # Where limits gave less than was asked for, asking for more gives nothing.
        ahead = 0 if self._fell_short else ahead
        capacity = self._senders.free + ahead
        if capacity < max(1, settings.DELIVERY_THREADS // 4) + ahead // 2:
            return True
        now = db_clock.now()
        claims = claim(limit=capacity, now=now, lease=self._lease)
        self._fell_short = len(claims) < capacity
        if claims:
            self._nap = _MIN_NAP_SECONDS
        self._load_senders({taken.connection_id for taken in claims})
        send_by = now + self._lease - timedelta(seconds=settings.DELIVERY_TOTAL_TIMEOUT)
        for taken in claims:
            self._send_or_finish(taken, send_by)
        return bool(claims)

    def _load_senders(self, connection_ids: set[int]) -> None:
        new = connection_ids - self._channels.keys()
        if new:
            self._channels.update(get_senders(new))

    def _send_or_finish(self, taken: Claim, send_by: datetime) -> None:
        sender = self._channels[taken.connection_id]
        result = sender.finish_unsent(taken)
        if result is None:
            self._senders.submit(partial(_deliver, sender, self._client, taken, send_by))
        else:
            complete([result])

    def _collect(self) -> None:
        if self._senders.in_flight == 0:
            time.sleep(self._nap)
        else:
            self._unrecorded += filter(None, self._senders.collect(self._nap))
        if self._unrecorded:
            self._record()
        self._watch.write_if_due()

    def _record(self) -> None:
        """Record what has finished. A database that is away for a moment costs no answer: the
        results are kept until it is back, or until their leases have ended."""
        finished = self._unrecorded
        try:
            recorded = complete([one.result for one in finished])
        except (OperationalError, InterfaceError) as error:
            self._keep_for_later(error)
            return
        except DatabaseError:
            recorded = _one_by_one(finished)
        self._unrecorded = []
        kept = [one for one in finished if one.claim.delivery_id in recorded]
        for one in kept:
            self._watch.see(one.claim.connection_id, one.exchange_result)
        outcomes = Counter(one.attempt.meaning.outcome.value for one in kept)
        self.summary.outcomes.update(outcomes)
        self._on_progress(outcomes)

    def _keep_for_later(self, error: Exception) -> None:
        logger.warning("Results could not be recorded and are kept: %s", error)
        connection.close()
        time.sleep(_RECORD_AGAIN_SECONDS)
        oldest = db_clock.now() - self._lease
        self._unrecorded = [one for one in self._unrecorded if one.result.began_after(oldest)]


def _deliver(
    sender: ConnectionSender, client: Client, taken: Claim, send_by: datetime
) -> FinishedAttempt | None:
    """One attempt; None where this process was frozen meanwhile, for then another worker may have
    the delivery by the time that this one would be done."""
    return sender.deliver(client, taken) if db_clock.now() <= send_by else None


def _one_by_one(finished: Sequence[FinishedAttempt]) -> set[int]:
    """The database refused something in the batch; that must not cost the others their answers."""
    recorded: set[int] = set()
    for one in finished:
        try:
            recorded |= complete([one.result])
        except (DatabaseError, InterfaceError):
            # Its lease will end, and it counts as unknown then.
            logger.exception("The answer for delivery %s was lost", one.claim.delivery_id)
    return recorded
