"""What the pump learns about connections while it delivers: bad news at once, good news soon.

Must not know how deliveries are recorded.
"""

from __future__ import annotations

import logging
import time

from django.db import DatabaseError, InterfaceError, connection, transaction

from config.queue.job_queue import notify
from connections.operations.states import hold_connection
from referrals import db_clock
from referrals.models import BreakerState
from referrals.models.breaker_state import BREAKER_COLUMNS
from referrals.throttling import breaker
from referrals.throttling.breaker import Event, ExchangeResult

logger = logging.getLogger(__name__)

_FLUSH_SECONDS = 1.0


class HealthRecorder:
    """The observations of one slice, by connection, until they are written down."""

    def __init__(self) -> None:
        self._observed: dict[int, list[ExchangeResult]] = {}
        self._written_at = time.monotonic()

    def see(self, connection_id: int, exchange_result: ExchangeResult) -> None:
        """Add one exchange."""
        self._observed.setdefault(connection_id, []).append(exchange_result)

    def write_if_due(self) -> None:
        """Write down bad news, and good news that has waited long enough."""
        is_old = time.monotonic() - self._written_at > _FLUSH_SECONDS
        if is_old or any(one.is_significant for seen in self._observed.values() for one in seen):
            self.write()

    def write(self) -> None:
        """Write everything down, hold what must be held, and let people know."""
        self._written_at = time.monotonic()
        if not self._observed:
            return
        try:
            told = _apply(self._observed)
        except (DatabaseError, InterfaceError) as error:
            # Kept for the next time: it must not cost the answers that are still to come.
            logger.warning("What was learned of connections could not be written: %s", error)
            connection.close()
            return
        self._observed = {}
        for connection_id, event, reason in told:
            notify(connection_id, event, reason)


def _apply(observed: dict[int, list[ExchangeResult]]) -> list[tuple[int, Event, str]]:
    """Update the health rows in one transaction; what people should hear, once each."""
    told = []
    now = db_clock.now()
    with transaction.atomic():
        rows = _locked_rows(observed)
        for row in rows:
            seen = observed[row.pk]
            health, events = breaker.observe(row.to_domain(), seen, now)
            row.take(health)
            reason = next((one.reason for one in reversed(seen) if one.is_significant), "")
            told += [
                (row.pk, event, reason) for event in events if _apply_hold(row.pk, event, reason)
            ]
        # All of them are there; bulk_update would build an expression for each value, which takes
        # many times as long.
        BreakerState.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["connection"], update_fields=BREAKER_COLUMNS
        )
    return told


def _locked_rows(observed: dict[int, list[ExchangeResult]]) -> list[BreakerState]:
    missing = [BreakerState(pk=pk) for pk in observed]
    BreakerState.objects.bulk_create(missing, ignore_conflicts=True)
    # In one order everywhere, so that two workers never wait for each other.
    rows = BreakerState.objects.filter(pk__in=observed).order_by("pk")
    return list(rows.select_for_update())


def _apply_hold(connection_id: int, event: Event, reason: str) -> bool:
    """Whether this worker is the one that makes the event true: a hold is one hold for all."""
    return event is not Event.HELD or hold_connection(connection_id, reason=reason)
