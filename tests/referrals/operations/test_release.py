"""Letting a connection go on: gently, with what waits, and whatever was learned before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_rq import get_queue

from config.queue.job_queue import waiting_jobs
from connections.core.response.outcomes import Outcome
from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.operations.states import hold_connection, pause_connection
from connections.simulator import CRM
from referrals.leases import claim
from referrals.models import BreakerState, Delivery
from referrals.operations.release import release
from referrals.throttling import breaker
from tests.referrals.factories import LEASE, create_referrals, deliver

SECOND = timedelta(seconds=1)


def announced() -> list[Any]:
    jobs = get_queue("deliveries").jobs
    return [job.args[1] for job in jobs if job.func_name == "referrals.jobs.tell"]


def due(external_id: str) -> datetime:
    found = Delivery.objects.get(referral__external_id=external_id).due_at
    assert found is not None
    return found


@pytest.fixture
def held(link: Link, campaign: Campaign, redis: Any) -> Connection:
    """Held for its credentials, with three deliveries that wait, and nothing to hear in Redis."""
    create_referrals(campaign, *[f"unauthorized.{number}@example.com" for number in range(3)])
    deliver()
    redis.flushdb()
    connection = Connection.objects.get()
    assert connection.state == Connection.State.HELD
    return connection


def test_refused_credentials_use_up_no_attempt(held: Connection) -> None:
    assert set(Delivery.objects.values_list("status", "attempts_used")) == {("pending", 0)}
    assert due("unauthorized.0@example.com") >= timezone.now() + 290 * SECOND


def test_a_release_sends_again_at_once(held: Connection) -> None:
    assert release(held) == 3
    held.refresh_from_db()
    assert (held.state, held.state_reason) == ("active", "")
    assert not Delivery.objects.filter(due_at__gt=timezone.now()).exists()


def test_a_release_rings_and_is_announced(held: Connection) -> None:
    release(held)
    assert announced() == ["released"]
    assert waiting_jobs() == 2


def test_what_waits_for_another_reason_keeps_its_time(held: Connection, campaign: Campaign) -> None:
    Connection.objects.update(state="active")
    create_referrals(campaign, "error@example.com")
    deliver()
    hold_connection(held.pk, reason="")
    before = due("error@example.com")
    assert release(held) == 4
    assert due("error@example.com") == before


def test_what_a_worker_has_in_hand_is_left_alone(held: Connection) -> None:
    Connection.objects.update(state="active")
    Delivery.objects.update(due_at=timezone.now())
    claims = claim(limit=1, now=timezone.now(), lease=LEASE)
    [in_flight] = claims
    assert release(held) == 2
    kept = Delivery.objects.get(pk=in_flight.delivery_id)
    assert kept.due_at is not None
    assert kept.due_at > timezone.now() + 60 * SECOND


def test_other_connections_are_left_alone(
    held: Connection, account: Account, campaign: Campaign
) -> None:
    other = Connection.objects.create(account=account, name="Other", state="held")
    link_campaign(campaign, connection=other, by=None)
    create_referrals(campaign, "jo@example.com")
    Delivery.objects.filter(connection=other).update(
        outcome="unauthorized", due_at=timezone.now() + 60 * SECOND
    )
    release(held)
    other.refresh_from_db()
    assert other.state == "held"
    found = Delivery.objects.get(connection=other).due_at
    assert found is not None
    assert found > timezone.now() + 50 * SECOND


def test_a_release_forgets_what_was_learned_and_begins_gently(held: Connection) -> None:
    now = timezone.now()
    opened, _ = breaker.observe(
        breaker.Breaker(),
        [breaker.ExchangeResult(outcome=Outcome.UNAVAILABLE, is_network_failure=True)] * 5,
        now,
    )
    row = BreakerState.objects.get(pk=held.pk)
    row.take(opened)
    row.tokens = 0.5
    row.save()

    release(held)
    row.refresh_from_db()
    health = row.to_domain()
    assert health.closed_at is not None
    assert health == breaker.well(health.closed_at)
    assert row.tokens == 0.5
    assert len(claim(limit=32, now=timezone.now(), lease=LEASE)) == 1


def test_a_paused_or_resting_connection_is_released_too(link: Link, connection: Connection) -> None:
    BreakerState.objects.create(pk=connection.pk, open_until=timezone.now() + 60 * SECOND)
    release(connection)
    assert BreakerState.objects.get().open_until is None
    assert announced() == [], "it was active: nothing is new"

    pause_connection(connection)
    release(connection)
    assert Connection.objects.get().state == "active"
    assert announced() == ["released"]


def test_a_release_counts_although_a_page_was_opened_before_the_hold(
    link: Link, connection: Connection
) -> None:
    Connection.objects.filter(pk=connection.pk).update(state="held")
    assert connection.state == "active", "as it was read"
    release(connection)
    assert Connection.objects.get().state == "active"
    assert announced() == ["released"]


def test_after_a_release_another_hold_is_news_again(held: Connection) -> None:
    BreakerState.objects.update(
        notified_at={event: timezone.now().isoformat() for event in ("held", "opened")}
    )
    release(held)
    assert list(BreakerState.objects.get().notified_at) == ["opened"]


def test_a_new_key_and_a_release_deliver_everything(
    link: Link, campaign: Campaign, connection: Connection, crm: CRM
) -> None:
    connection.secrets = {**connection.secrets, "password": "revoked"}
    connection.save()
    names = [f"jo{number}@example.com" for number in range(6)]
    create_referrals(campaign, *names)
    assert deliver() == {"unauthorized": 6}
    connection.refresh_from_db()
    assert (connection.state, crm.people()) == ("held", 0)

    connection.secrets = {**connection.secrets, "password": crm.key}
    connection.save()
    release(connection)
    BreakerState.objects.update(closed_at=None)
    assert deliver() == {"delivered": 6}
    assert set(Delivery.objects.values_list("status", "attempts_used")) == {("delivered", 1)}
