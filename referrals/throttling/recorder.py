"""Records the results of exchanges in the breakers' rows: bad ones at once, good ones soon."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

from django.db import DatabaseError, InterfaceError, connection, transaction

from connections.operations.history import Actor, Door
from connections.operations.pause_hold_release import hold_connection
from referrals import db_clock
from referrals.enqueue import notify
from referrals.models import BreakerState
from referrals.throttling.breaker import Event, ExchangeResult, record
from referrals.throttling.breaker_rows import BREAKER_COLUMNS, from_domain, to_domain

logger = logging.getLogger(__name__)

_FLUSH_SECONDS = 1.0


class HealthRecorder:
    """The results of one slice, by connection, until they are flushed to the database."""

    def __init__(self) -> None:
        self._results: dict[int, list[ExchangeResult]] = {}
        self._flushed_at = time.monotonic()

    def add(self, connection_id: int, result: ExchangeResult) -> None:
        """Add the result of one exchange, without writing it."""
        self._results.setdefault(connection_id, []).append(result)

    def flush_if_due(self) -> None:
        """Flush if a result is significant, or if the last flush was a second ago."""
        is_old = time.monotonic() - self._flushed_at > _FLUSH_SECONDS
        if is_old or any(one.is_significant for seen in self._results.values() for one in seen):
            self.flush()

    def flush(self) -> None:
        """Write all results, hold what must be held, and enqueue the notifications.

        If the database fails, log that and keep the results for the next flush.
        """
        self._flushed_at = time.monotonic()
        if not self._results:
            return
        try:
            notifications = _store(self._results)
        except (DatabaseError, InterfaceError) as error:
            # Not raised: that would cost the results of the attempts that are still in flight.
            logger.warning("Results of exchanges could not be written and are kept: %s", error)
            connection.close()
            return
        self._results = {}
        for connection_id, event, reason in notifications:
            notify(connection_id, event, reason)


def _store(
    results_by_connection: Mapping[int, Sequence[ExchangeResult]],
) -> list[tuple[int, Event, str]]:
    """Update the breakers and hold connections, in one transaction.

    Return what people are to be notified of: connection, event and reason, each event once.
    """
    notifications: list[tuple[int, Event, str]] = []
    rows = []
    now = db_clock.now()
    with transaction.atomic():
        for row in _lock_rows(results_by_connection):
            results = results_by_connection[row.pk]
            breaker, events = record(to_domain(row), results, now)
            rows.append(BreakerState(pk=row.pk, **from_domain(breaker)))
            reason = _newest_reason(results)
            notifications += [
                (row.pk, event, reason) for event in events if _apply_hold(row.pk, event, reason)
            ]
        _update_breakers(rows)
    return notifications


def _lock_rows(connection_ids: Mapping[int, object]) -> list[BreakerState]:
    """Insert the rows that are missing, lock all of them, and return them."""
    BreakerState.objects.insert_missing(connection_ids)
    return BreakerState.objects.lock(connection_ids)


def _update_breakers(rows: Sequence[BreakerState]) -> None:
    """Update the columns of the breaker alone.

    All rows exist. It is an upsert because bulk_update builds an expression for each value, which
    takes many times as long.
    """
    BreakerState.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection"], update_fields=BREAKER_COLUMNS
    )


def _newest_reason(results: Sequence[ExchangeResult]) -> str:
    return next((one.reason for one in reversed(results) if one.is_significant), "")


def _apply_hold(connection_id: int, event: Event, reason: str) -> bool:
    """Hold the connection if the event says so.

    Return whether to notify people: False if another worker or a person held or paused it already.
    """
    return event is not Event.HELD or hold_connection(
        connection_id, by=Actor(door=Door.WORKER), reason=reason
    )
