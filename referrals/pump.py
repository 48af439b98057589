"""The pump: claim what is due, send it from threads, record it in bulk, for one slice of time.

The main thread alone touches the database; the threads build, send and classify. Must not know how
the slice was started: a job, a command and a test all call `deliver_due`.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from connections.attempt import Attempt, prepare
from connections.attributes import Attribute, CampaignKind, shareable
from connections.client import Client
from connections.http.outcomes import Outcome
from connections.http.rules import Classification
from connections.models import Connection
from connections.models.exchanges import exchange_columns
from connections.outbound import shared_client
from referrals import stopping
from referrals.claims import Claim, Completion, claim, complete, has_due
from referrals.models.deliveries import idempotency_key
from referrals.schedule import DEFAULT_SCHEDULE, Policy, settle
from referrals.senders import Senders
from referrals.states import Cause

Progress = Callable[[Counter[str]], None]

_COLLECT_SECONDS = 0.05
"""How long the main thread sleeps at most before it looks for new work again."""

_PATIENCE_SECONDS = 0.5
"""How long a slice with nothing more to claim waits for what is under way."""

_LOST = Classification(outcome=Outcome.UNKNOWN)


@dataclass(slots=True)
class Summary:
    """What one slice did: recorded attempts by outcome, and whether more is due already."""

    outcomes: Counter[str] = field(default_factory=Counter)
    has_more: bool = False

    @property
    def total(self) -> int:
        """How many attempts were recorded."""
        return self.outcomes.total()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A claim that a thread is done with; `attempt` is None where nothing was sent."""

    claim: Claim
    started_at: datetime
    attempt: Attempt | None

    def columns(self) -> dict[str, Any] | None:
        """The columns of the attempt's row."""
        if self.attempt is None:
            return None
        columns = exchange_columns(self.attempt.exchange, self.attempt.meaning, self.attempt.rule)
        return {**columns, "cause": self.claim.cause.value, "started_at": self.started_at}


class Lane:
    """One connection as the pump needs it during a slice: prepared once, for many deliveries."""

    def __init__(self, row: Connection) -> None:
        self.prepared = prepare(row)
        self._catalogue: Mapping[str, Attribute] = row.account.catalogue()
        spec = self.prepared.spec
        self.policy = Policy(
            schedule=spec.limits.schedule or DEFAULT_SCHEDULE,
            max_age=spec.limits.max_age,
            on_unknown=spec.on_unknown,
        )

    def attempt(self, client: Client, taken: Claim) -> Attempt:
        """One attempt with the attributes that this kind of campaign may share."""
        kind = CampaignKind(taken.campaign_kind)
        attributes = shareable(taken.attributes, kind, self._catalogue)
        key = idempotency_key(taken.referral_id, taken.connection_id)
        return self.prepared.attempt(client, attributes, key)


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
    pump.run(settings.DELIVERY_SLICE_SECONDS if seconds is None else seconds)
    if pump.is_under_way:
        _leave_behind(pump)
    else:
        pump.finish()
    return pump.summary


def finish_under_way() -> None:
    """Wait until everything that this process has sent is recorded."""
    while _left_behind:
        _left_behind[-1].join()


_left_behind: list[threading.Thread] = []


def _leave_behind(pump: _Pump) -> None:
    def finish() -> None:
        try:
            pump.finish()
        finally:
            connection.close()
            _left_behind.remove(thread)

    thread = threading.Thread(target=finish, name="left-behind", daemon=True)
    _left_behind.append(thread)
    thread.start()


class _Pump:
    """The state of one slice."""

    def __init__(self, client: Client, on_progress: Progress) -> None:
        self._client = client
        self._on_progress = on_progress
        self._senders: Senders[Finished] = Senders(settings.DELIVERY_THREADS)
        self._lanes: dict[int, Lane] = {}
        self._lease = timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)
        self.summary = Summary()

    @property
    def is_under_way(self) -> bool:
        """Whether something was sent and is not recorded yet."""
        return self._senders.under_way > 0

    def run(self, seconds: float) -> None:
        """Claim, send and record until nothing is due or the slice is over."""
        end = time.monotonic() + seconds
        idle_since: float | None = None
        while not stopping.requested() and time.monotonic() < end:
            if self._claim_some():
                idle_since = None
            elif idle_since is None:
                idle_since = time.monotonic()
            self._collect()
            if idle_since is not None and (
                not self.is_under_way or time.monotonic() - idle_since > _PATIENCE_SECONDS
            ):
                return
        self.summary.has_more = has_due(timezone.now())

    def finish(self) -> None:
        """Record what is still under way, and let the threads go."""
        while self.is_under_way:
            self._collect()
        self._senders.close()

    def _claim_some(self) -> bool:
        """Fill the free threads, but not one by one; False where nothing is due."""
        free = settings.DELIVERY_THREADS - self._senders.under_way
        if free < max(1, settings.DELIVERY_THREADS // 4):
            return True
        claims = claim(limit=free, now=timezone.now(), lease=self._lease)
        self._open_lanes({taken.connection_id for taken in claims} - self._lanes.keys())
        for taken in claims:
            if not self._is_given_up(taken):
                self._senders.submit(partial(self._send, taken))
        return bool(claims)

    def _open_lanes(self, connection_ids: set[int]) -> None:
        if connection_ids:
            rows = Connection.objects.filter(pk__in=connection_ids).with_everything()
            self._lanes.update({row.pk: Lane(row) for row in rows})

    def _is_given_up(self, taken: Claim) -> bool:
        """Settle a delivery whose lost attempt was its last, or whose CRM must not get it twice."""
        if taken.lost_at is None:
            return False
        now = timezone.now()
        lost = Finished(claim=taken, started_at=taken.lost_at, attempt=None)
        completion = self._completion(lost, _LOST, step=taken.step - 1, now=now)
        if completion.status.is_pending:
            return False
        complete([completion])
        return True

    def _send(self, taken: Claim) -> Finished:
        """What a thread does with a claim."""
        started_at = timezone.now()
        attempt = self._lanes[taken.connection_id].attempt(self._client, taken)
        return Finished(claim=taken, started_at=started_at, attempt=attempt)

    def _collect(self) -> None:
        finished = self._senders.collect(_COLLECT_SECONDS) if self.is_under_way else []
        if not finished:
            return
        now = timezone.now()
        recorded = complete(
            [
                self._completion(one, one.attempt.meaning, step=one.claim.step, now=now)
                for one in finished
                if one.attempt is not None
            ]
        )
        outcomes = Counter(
            one.attempt.meaning.outcome.value
            for one in finished
            if one.attempt is not None and one.claim.delivery_id in recorded
        )
        self.summary.outcomes.update(outcomes)
        self._on_progress(outcomes)

    def _completion(
        self, one: Finished, meaning: Classification, *, step: int, now: datetime
    ) -> Completion:
        settlement = settle(
            meaning,
            step=step,
            age=(now - one.claim.created_at).total_seconds(),
            policy=self._lanes[one.claim.connection_id].policy,
            jitter=random.random(),  # noqa: S311 - it spreads load, it guards nothing.
        )
        is_pending = settlement.status.is_pending
        return Completion(
            delivery_id=one.claim.delivery_id,
            number=one.claim.number,
            status=settlement.status,
            outcome=meaning.outcome.value,
            step=settlement.step,
            due_at=now + timedelta(seconds=settlement.wait or 0) if is_pending else None,
            settled_at=None if is_pending else now,
            next_cause=Cause.RETRY,
            attempt=one.columns(),
        )
