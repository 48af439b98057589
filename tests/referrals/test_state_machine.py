"""Nothing is ever lost, nothing is sent twice unseen: in the small, over every order of events.

Hypothesis plays the people, the workers, the CRM and the clock. What the CRM saw is kept apart from
the database and compared with it after every step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connections.core.messages import ErrorCode, Exchange, ExchangeError, Request, Response
from connections.core.spec import ConnectionSpec, OnUnknown
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign, unlink_campaign
from connections.operations.states import hold_connection, pause_connection
from connections.transport import SendLimits
from referrals import db_clock
from referrals.delivery.connection_sender import ConnectionSender, FinishedAttempt
from referrals.intake import accept_referrals
from referrals.leases import Claim, claim, complete
from referrals.models import BreakerState, Delivery, DeliveryAttempt, Referral
from referrals.operations.backfill import backfill
from referrals.operations.cancel import cancel
from referrals.operations.release import release
from referrals.operations.replay import replay
from referrals.statuses import DeliveryStatus
from referrals.throttling.recorder import HealthRecorder
from tests.referrals.factories import LEASE, NOW, item

A_DAY = timedelta(hours=29)
"""Longer than any wait that the schedule or a CRM can ask for, jitter included."""

MEMBER = Response(status=200, body=b'{"id": "abc"}')
EXISTS = Response(status=400, body=b'{"title": "Member Exists"}')
ANSWERS: dict[str, Response | ErrorCode] = {
    "delivered": MEMBER,
    "duplicate": EXISTS,
    "rejected": Response(status=422),
    "throttled": Response(status=429, headers=(("Retry-After", "7"),)),
    "busy": Response(status=503),
    "gone": Response(status=410),
    "unauthorized": Response(status=401),
    "odd": Response(status=200, body=b"<html>"),
    "timeout": ErrorCode.READ_TIMEOUT,
    "lost": ErrorCode.CONNECTION_LOST,
    "refused": ErrorCode.CONNECT_REFUSED,
}


@dataclass(frozen=True)
class Seen:
    """One request as the CRM saw it: which claim it came from, and whether it was a success."""

    delivery_id: int
    number: int
    is_success: bool


@dataclass
class Hand:
    """A claim that a worker has, and what it has sent but not yet recorded."""

    claim: Claim
    finished: FinishedAttempt | None = None


class DeadlineSocket:
    """Stands where the network is: answers as it was told to, and knows whether it was reached."""

    def __init__(self, answer: Response | ErrorCode) -> None:
        self.answer = answer
        self.is_reached = False

    def send(self, request: Request, _limits: SendLimits) -> Exchange:
        self.is_reached = self.answer is not ErrorCode.CONNECT_REFUSED
        now = timezone.now()
        if isinstance(self.answer, Response):
            return Exchange(request=request, response=self.answer, finished_at=now)
        error = ExchangeError(code=self.answer, message=str(self.answer))
        return Exchange(request=request, error=error, finished_at=now)


class Clock:
    """A clock that only the machine moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """What all runs of the machine share: nothing that an earlier one could have changed."""

    clock: Clock
    campaign: Campaign
    connections: list[Connection]

    def begin(self) -> None:
        for model in (DeliveryAttempt, Delivery, Referral, BreakerState, Link):
            model._default_manager.all().delete()
        Connection.objects.update(state="active", state_reason="")
        self.clock.now = NOW
        for connection in self.connections:
            link_campaign(self.campaign, connection=connection, by=None)


which = st.integers(0, 20)
answers = st.sampled_from(sorted(ANSWERS))
PEOPLE = ("hold", "pause", "release", "unlink", "unlink and cancel", "link", "link and backfill")


class Deliveries(RuleBasedStateMachine):
    """The rules are what can happen, in any order; the invariant is what the product promises."""

    def __init__(self, world: World) -> None:
        super().__init__()
        world.begin()
        self.world = world
        self.accepted = 0
        self.planned: set[int] = set()
        self.hands: list[Hand] = []
        self.seen: list[Seen] = []
        self.log: dict[tuple[int, int], tuple[str, str]] = {}
        rows = Connection.objects.with_everything()
        self.senders = {row.pk: ConnectionSender(row) for row in rows}
        self.accept(2, is_again=False)

    @property
    def now(self) -> datetime:
        return self.world.clock.now

    @rule(count=st.integers(1, 2), is_again=st.booleans())
    def accept(self, count: int, *, is_again: bool) -> None:
        """Referrals come in; some are handed in a second time."""
        start = max(0, self.accepted - 1) if is_again else self.accepted
        names = [f"jo{number}@example.com" for number in range(start, start + count)]
        found = accept_referrals(self.world.campaign, [item(name, email=name) for name in names])
        assert sum(one.is_new for one in found) == start + count - self.accepted
        self.accepted = start + count

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        """A worker takes what is due, also what another one has let lie."""
        claims = claim(limit=limit, now=self.now, lease=LEASE)
        assert len({one.delivery_id for one in claims}) == len(claims) <= limit
        self.hands += [Hand(one) for one in claims]

    @rule()
    def leases_end(self) -> None:
        """What is in hand was in hand for too long."""
        self.world.clock.now += LEASE + timedelta(seconds=1)

    @rule(seconds=st.sampled_from([1, 7, 40, 900, 100_000]))
    def wait(self, seconds: int) -> None:
        """Time passes: retries fall due, rests are over."""
        self.world.clock.now += timedelta(seconds=seconds)

    @precondition(lambda self: any(hand.finished is None for hand in self.hands))
    @rule(index=which, answer=answers)
    def send(self, index: int, answer: str) -> None:
        """A worker sends one of what it has, unless it must give it up."""
        unsent = [hand for hand in self.hands if hand.finished is None]
        hand = unsent[index % len(unsent)]
        sender = self.senders[hand.claim.connection_id]
        result = sender.finish_unsent(hand.claim)
        if result is not None:
            self.hands.remove(hand)
            complete([result])
            return
        wire: Any = DeadlineSocket(ANSWERS[answer])
        hand.finished = sender.deliver(wire, hand.claim)
        if wire.is_reached:
            is_success = wire.answer in (MEMBER, EXISTS)
            self.seen.append(Seen(hand.claim.delivery_id, hand.claim.number, is_success))

    @precondition(lambda self: any(hand.finished for hand in self.hands))
    @rule(index=which)
    def record(self, index: int) -> None:
        """A worker records an answer, perhaps long after it has lost its lease."""
        sent = [hand for hand in self.hands if hand.finished]
        hand = sent[index % len(sent)]
        self.hands.remove(hand)
        assert hand.finished is not None
        before = Delivery.objects.filter(pk=hand.claim.delivery_id).values().get()
        recorded = complete([hand.finished.result])
        is_ours = before["attempt_number"] == hand.claim.number and before["claimed_at"] is not None
        assert recorded == ({hand.claim.delivery_id} if is_ours else set())
        if not is_ours:
            assert before == Delivery.objects.filter(pk=hand.claim.delivery_id).values().get()
            return
        watch = HealthRecorder()
        watch.see(hand.claim.connection_id, hand.finished.exchange_result)
        watch.write()

    @precondition(lambda self: any(hand.finished is None for hand in self.hands))
    @rule(index=which, answer=answers)
    def send_and_record(self, index: int, answer: str) -> None:
        """As it mostly goes."""
        self.send(index, answer)
        if any(hand.finished for hand in self.hands):
            self.record(-1)

    @precondition(lambda self: self.hands)
    @rule(index=which)
    def crash(self, index: int) -> None:
        """A worker dies with what it has, sent or not."""
        self.hands.pop(index % len(self.hands))

    @rule(
        status=st.sampled_from([None, "pending", "delivered", "unknown", "cancelled"]),
        rate=st.sampled_from([None, 0.5]),
    )
    def replay(self, status: str | None, rate: float | None) -> None:
        """A person wants another attempt of some, or of all."""
        chosen = Delivery.objects.filter(**({} if status is None else {"status": status}))
        replay(chosen, rate=rate)

    @rule(index=which, what=st.sampled_from(PEOPLE))
    def people(self, index: int, what: str) -> None:
        """A person, or what was learned, changes how a connection is used."""
        campaign = self.world.campaign
        connection = self.world.connections[index % len(self.world.connections)]
        is_linked = Link.objects.active().filter(connection=connection).exists()
        if what == "hold":
            hold_connection(connection.pk, reason="")
        elif what == "pause":
            pause_connection(connection)
        elif what.startswith("unlink") and is_linked:
            unlink_campaign(campaign, connection=connection, by=None)
            if what.endswith("cancel"):
                cancel(Delivery.objects.filter(connection=connection))
        elif what.startswith("link") and not is_linked:
            link_campaign(campaign, connection=connection, by=None)
            if what.endswith("backfill"):
                backfill(campaign, connection, since=NOW)
        else:
            release(connection)

    @invariant()
    def the_promise_holds(self) -> None:
        """After every step."""
        self._the_log_only_grows()
        self._nothing_is_lost()
        self._every_request_is_known()
        self._nothing_is_sent_twice_unseen()

    def _the_log_only_grows(self) -> None:
        """What was written down stays as it was written."""
        rows = DeliveryAttempt.objects.values_list("delivery_id", "number", "outcome", "trigger")
        log = {
            (delivery, number): (str(outcome), trigger)
            for delivery, number, outcome, trigger in rows
        }
        assert {**log, **self.log} == log
        self.log = log

    def _nothing_is_lost(self) -> None:
        """Every delivery that was ever planned is final, or waits for a moment that will come."""
        assert Referral.objects.count() == self.accepted
        found = set(Delivery.objects.values_list("pk", flat=True))
        assert found >= self.planned
        self.planned = found
        waiting = Delivery.objects.pending()
        assert not waiting.filter(due_at=None).exists()
        assert not waiting.filter(due_at__gt=self.now + A_DAY).exists()
        final = Delivery.objects.exclude(status=DeliveryStatus.PENDING)
        assert not final.filter(finished_at=None).exists()
        assert not final.exclude(due_at=None, claimed_at=None).exists()

    def _every_request_is_known(self) -> None:
        """What the CRM saw is an attempt in the log, or visibly still under way."""
        in_flight = set(Delivery.objects.in_flight().values_list("pk", "attempt_number"))
        for one in self.seen:
            key = (one.delivery_id, one.number)
            assert key in self.log or key in in_flight

    def _nothing_is_sent_twice_unseen(self) -> None:
        """After a success, and after an unknown where the CRM must not get anything twice, another
        request needs an unknown in between, or a person's wish."""
        careful = set(
            Delivery.objects.filter(connection__name="Careful").values_list("pk", flat=True)
        )
        for later in self.seen:
            for earlier in self.seen:
                if earlier.delivery_id != later.delivery_id or earlier.number >= later.number:
                    continue
                outcomes, is_wished = self._between(earlier, later)
                is_unknown = "unknown" in outcomes
                if is_unknown and later.delivery_id in careful:
                    assert is_wished
                if earlier.is_success and later.is_success:
                    assert is_unknown or is_wished

    def _between(self, earlier: Seen, later: Seen) -> tuple[set[str], bool]:
        """The outcomes from one request on to the next, and whether a person asked for that."""
        numbers = range(earlier.number, later.number + 1)
        found = [self.log.get((later.delivery_id, number), ("", "")) for number in numbers]
        row = Delivery.objects.get(pk=later.delivery_id)
        is_wished = row.claimed_at is not None and row.next_trigger == "replay"
        causes = [trigger for _, trigger in found[1:]]
        return {outcome for outcome, _ in found[:-1]}, is_wished or "replay" in causes


@pytest.fixture
def world(
    account: Account,
    campaign: Campaign,
    described: ConnectionSpec,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    time = Clock()
    monkeypatch.setattr(timezone, "now", time)
    # The database would tell another time.
    monkeypatch.setattr(db_clock, "adjust", lambda: None)
    careful = replace(described, name="Careful", on_unknown=OnUnknown.HOLD)
    connections = [store_connection(spec, account=account) for spec in (described, careful)]
    return World(time, campaign, connections)


@pytest.mark.parametrize("examples", [15, pytest.param(150, marks=pytest.mark.faults)])
def test_the_promise_holds_over_every_order_of_events(world: World, examples: int) -> None:
    run_state_machine_as_test(
        lambda: Deliveries(world),  # type: ignore[arg-type] # Anything that makes one will do.
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            derandomize=True,
            deadline=None,
            database=None,
        ),
    )
