"""Tests that no delivery is lost or repeated unseen, over every order of events.

Hypothesis plays users, workers, CRM and clock. The requests that the CRM received are kept outside
the database and compared with it after every step.
"""

from __future__ import annotations

from dataclasses import replace
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

from connections.core.spec import ConnectionSpec, OnUnknown
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign, unlink_campaign
from connections.operations.pause_hold_release import hold_connection, pause_connection
from referrals import db_clock
from referrals.delivery.connection_sender import ConnectionSender
from referrals.intake import accept_referrals
from referrals.leases import claim, complete
from referrals.models import Delivery, DeliveryAttempt, Referral
from referrals.operations.backfill import backfill
from referrals.operations.cancel import cancel
from referrals.operations.release import release
from referrals.operations.replay import replay
from referrals.statuses import DeliveryStatus
from referrals.throttling.recorder import HealthRecorder
from tests.referrals.factories import LEASE, NOW, item
from tests.referrals.simulation import (
    EXISTS,
    MEMBER,
    RESPONSES,
    Clock,
    CRMRequest,
    FakeNetwork,
    Simulation,
    WorkerClaim,
)
from tests.users import SOMEBODY

MAX_WAIT = timedelta(hours=29)
"""Longer than any wait that the schedule or a CRM can ask for, jitter included."""

which = st.integers(0, 20)

responses = st.sampled_from(sorted(RESPONSES))

CONNECTION_CHANGES = (
    "hold",
    "pause",
    "release",
    "unlink",
    "unlink and cancel",
    "link",
    "link and backfill",
)


class Deliveries(RuleBasedStateMachine):
    """Rules are the events that can happen, in any order; the invariant is what must hold."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        simulation.reset()
        self.simulation = simulation
        self.accepted = 0
        self.created: set[int] = set()
        self.claims: list[WorkerClaim] = []
        self.requests: list[CRMRequest] = []
        self.log: dict[tuple[int, int], tuple[str, str]] = {}
        rows = Connection.objects.with_everything()
        self.senders = {row.pk: ConnectionSender(row) for row in rows}
        self.accept(2, is_repeated=False)

    @property
    def now(self) -> datetime:
        return self.simulation.clock.now

    @rule(count=st.integers(1, 2), is_repeated=st.booleans())
    def accept(self, count: int, *, is_repeated: bool) -> None:
        """Accept referrals, some of them a second time."""
        start = max(0, self.accepted - 1) if is_repeated else self.accepted
        names = [f"jo{number}@example.com" for number in range(start, start + count)]
        accepted = accept_referrals(
            self.simulation.campaign, [item(name, email=name) for name in names]
        )
        assert sum(one.is_new for one in accepted) == start + count - self.accepted
        self.accepted = start + count

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        """Claim what is due for a worker, also what another worker has lost."""
        claims = claim(limit=limit, now=self.now, lease=LEASE)
        assert len({one.delivery_id for one in claims}) == len(claims) <= limit
        self.claims += [WorkerClaim(one) for one in claims]

    @rule()
    def expire_leases(self) -> None:
        """Advance the clock until every lease has ended."""
        self.simulation.clock.now += LEASE + timedelta(seconds=1)

    @rule(seconds=st.sampled_from([1, 7, 40, 900, 100_000]))
    def wait(self, seconds: int) -> None:
        """Advance the clock: retries become due, cooldowns end."""
        self.simulation.clock.now += timedelta(seconds=seconds)

    @precondition(lambda self: any(one.finished is None for one in self.claims))
    @rule(index=which, response=responses)
    def send(self, index: int, response: str) -> None:
        """Send one of the claims, unless its lost attempt was the last."""
        unsent = [one for one in self.claims if one.finished is None]
        one = unsent[index % len(unsent)]
        sender = self.senders[one.claim.connection_id]
        result = sender.build_lost_result(one.claim)
        if result is not None:
            self.claims.remove(one)
            complete([result])
            return
        network: Any = FakeNetwork(RESPONSES[response])
        one.finished = sender.deliver(network, one.claim)
        if network.is_reached:
            is_success = network.response in (MEMBER, EXISTS)
            self.requests.append(CRMRequest(one.claim.delivery_id, one.claim.number, is_success))

    @precondition(lambda self: any(one.finished for one in self.claims))
    @rule(index=which)
    def record(self, index: int) -> None:
        """Record an attempt, perhaps long after the lease has ended."""
        sent = [one for one in self.claims if one.finished]
        one = sent[index % len(sent)]
        self.claims.remove(one)
        assert one.finished is not None
        before = Delivery.objects.filter(pk=one.claim.delivery_id).values().get()
        recorded = complete([one.finished.result])
        is_ours = before["attempt_number"] == one.claim.number and before["claimed_at"] is not None
        assert recorded == ({one.claim.delivery_id} if is_ours else set())
        if not is_ours:
            assert before == Delivery.objects.filter(pk=one.claim.delivery_id).values().get()
            return
        recorder = HealthRecorder()
        recorder.add(one.claim.connection_id, one.finished.exchange_result)
        recorder.flush()

    @precondition(lambda self: any(one.finished is None for one in self.claims))
    @rule(index=which, response=responses)
    def send_and_record(self, index: int, response: str) -> None:
        """Send and record one claim, the usual case."""
        self.send(index, response)
        if any(one.finished for one in self.claims):
            self.record(-1)

    @precondition(lambda self: self.claims)
    @rule(index=which)
    def crash(self, index: int) -> None:
        """Lose a claim as if its worker died, whether it was sent or not."""
        self.claims.pop(index % len(self.claims))

    @rule(
        status=st.sampled_from([None, "pending", "delivered", "unknown", "cancelled"]),
        rate=st.sampled_from([None, 0.5]),
    )
    def replay(self, status: str | None, rate: float | None) -> None:
        """Replay some deliveries, or all."""
        chosen = Delivery.objects.filter(**({} if status is None else {"status": status}))
        replay(chosen, rate=rate, by=SOMEBODY)

    @rule(index=which, change=st.sampled_from(CONNECTION_CHANGES))
    def change_connection(self, index: int, change: str) -> None:
        """Hold, pause, release, link or unlink a connection."""
        campaign = self.simulation.campaign
        connection = self.simulation.connections[index % len(self.simulation.connections)]
        is_linked = Link.objects.active().filter(connection=connection).exists()
        if change == "hold":
            hold_connection(connection.pk, reason="", by=SOMEBODY)
        elif change == "pause":
            pause_connection(connection, by=SOMEBODY)
        elif change.startswith("unlink") and is_linked:
            unlink_campaign(campaign, connection=connection, by=SOMEBODY)
            if change.endswith("cancel"):
                cancel(Delivery.objects.filter(connection=connection), by=SOMEBODY)
        elif change.startswith("link") and not is_linked:
            link_campaign(campaign, connection=connection, by=SOMEBODY)
            if change.endswith("backfill"):
                backfill(campaign, connection, since=NOW, by=SOMEBODY)
        else:
            release(connection, by=SOMEBODY)

    @invariant()
    def check_guarantees(self) -> None:
        """Check what must hold after every step."""
        self._check_that_the_log_only_grows()
        self._check_that_nothing_is_lost()
        self._check_that_every_request_is_known()
        self._check_that_nothing_is_repeated_unseen()

    def _check_that_the_log_only_grows(self) -> None:
        """Check that no recorded attempt has changed."""
        rows = DeliveryAttempt.objects.values_list("delivery_id", "number", "outcome", "trigger")
        log = {
            (delivery, number): (str(outcome), trigger)
            for delivery, number, outcome, trigger in rows
        }
        assert {**log, **self.log} == log
        self.log = log

    def _check_that_nothing_is_lost(self) -> None:
        """Check that every delivery ever created is final or due within the longest wait."""
        assert Referral.objects.count() == self.accepted
        found = set(Delivery.objects.values_list("pk", flat=True))
        assert found >= self.created
        self.created = found
        waiting = Delivery.objects.pending()
        assert not waiting.filter(due_at=None).exists()
        assert not waiting.filter(due_at__gt=self.now + MAX_WAIT).exists()
        final = Delivery.objects.exclude(status=DeliveryStatus.PENDING)
        assert not final.filter(finished_at=None).exists()
        assert not final.exclude(due_at=None, claimed_at=None).exists()

    def _check_that_every_request_is_known(self) -> None:
        """Check that every request that the CRM received is in the log or in flight."""
        claimed = Delivery.objects.filter(claimed_at__isnull=False)
        in_flight = set(claimed.values_list("pk", "attempt_number"))
        for one in self.requests:
            key = (one.delivery_id, one.number)
            assert key in self.log or key in in_flight

    def _check_that_nothing_is_repeated_unseen(self) -> None:
        """Check that no request is repeated without a visible reason.

        After a success, another one needs an unknown attempt or a replay in between. After an
        unknown attempt of a connection that holds unknown outcomes, another request needs a replay.
        """
        careful = set(
            Delivery.objects.filter(connection__name="Careful").values_list("pk", flat=True)
        )
        for later in self.requests:
            for earlier in self.requests:
                if earlier.delivery_id != later.delivery_id or earlier.number >= later.number:
                    continue
                outcomes, is_replayed = self._between(earlier, later)
                is_unknown = "unknown" in outcomes
                if is_unknown and later.delivery_id in careful:
                    assert is_replayed
                if earlier.is_success and later.is_success:
                    assert is_unknown or is_replayed

    def _between(self, earlier: CRMRequest, later: CRMRequest) -> tuple[set[str], bool]:
        """Return the outcomes from one request to the next, and whether a replay was asked for."""
        numbers = range(earlier.number, later.number + 1)
        found = [self.log.get((later.delivery_id, number), ("", "")) for number in numbers]
        row = Delivery.objects.get(pk=later.delivery_id)
        is_replayed = row.claimed_at is not None and row.next_trigger == "replay"
        triggers = [trigger for _, trigger in found[1:]]
        return {outcome for outcome, _ in found[:-1]}, is_replayed or "replay" in triggers


@pytest.fixture
def simulation(
    account: Account,
    campaign: Campaign,
    connection_spec: ConnectionSpec,
    monkeypatch: pytest.MonkeyPatch,
) -> Simulation:
    time = Clock()
    monkeypatch.setattr(timezone, "now", time)
    # The clock of the database is another one.
    monkeypatch.setattr(db_clock, "adjust", lambda: None)
    careful = replace(connection_spec, name="Careful", on_unknown=OnUnknown.HOLD)
    connections = [store_connection(spec, account=account) for spec in (connection_spec, careful)]
    return Simulation(time, campaign, connections)


@pytest.mark.parametrize("examples", [15, pytest.param(150, marks=pytest.mark.faults)])
def test_no_delivery_is_lost_or_repeated_unseen_in_any_order_of_events(
    simulation: Simulation, examples: int
) -> None:
    run_state_machine_as_test(
        lambda: Deliveries(simulation),  # type: ignore[arg-type] # A factory is enough.
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            derandomize=True,
            deadline=None,
            database=None,
        ),
    )
