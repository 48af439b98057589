"""Tests of releasing a connection."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_rq import get_queue

from config.queue.job_queue import waiting_count
from connections.core.response.outcomes import Outcome
from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.operations.pause_hold_release import hold_connection, pause_connection
from connections.simulator import CRM
from referrals.leases import claim
from referrals.models import BreakerState, Delivery
from referrals.operations.release import release
from referrals.throttling.breaker import Breaker, ExchangeResult, closed, record
from referrals.throttling.breaker_rows import from_domain, to_domain
from tests.referrals.factories import LEASE, create_referrals, deliver
from tests.users import SOMEBODY

SECOND = timedelta(seconds=1)


def notified_events() -> list[Any]:
    jobs = get_queue("deliveries").jobs
    return [job.args[1] for job in jobs if job.func_name == "referrals.jobs.notify"]


def due_time(external_id: str) -> datetime:
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
    assert due_time("unauthorized.0@example.com") >= timezone.now() + 290 * SECOND


def test_a_release_makes_unauthorized_deliveries_due_at_once(held: Connection) -> None:
    assert release(held, by=SOMEBODY) == 3
    held.refresh_from_db()
    assert (held.state, held.state_reason) == ("active", "")
    assert not Delivery.objects.filter(due_at__gt=timezone.now()).exists()


def test_a_release_wakes_workers_and_notifies_people(held: Connection) -> None:
    release(held, by=SOMEBODY)
    assert notified_events() == ["released"]
    assert waiting_count() == 2


def test_a_release_keeps_the_time_of_deliveries_that_wait_for_another_reason(
    held: Connection, campaign: Campaign
) -> None:
    Connection.objects.update(state="active")
    create_referrals(campaign, "error@example.com")
    deliver()
    hold_connection(held.pk, reason="", by=SOMEBODY)
    before = due_time("error@example.com")
    assert release(held, by=SOMEBODY) == 4
    assert due_time("error@example.com") == before


def test_a_release_leaves_deliveries_in_flight_alone(held: Connection) -> None:
    Connection.objects.update(state="active")
    Delivery.objects.update(due_at=timezone.now())
    claims = claim(limit=1, now=timezone.now(), lease=LEASE)
    [in_flight] = claims
    assert release(held, by=SOMEBODY) == 2
    delivery = Delivery.objects.get(pk=in_flight.delivery_id)
    assert delivery.due_at is not None
    assert delivery.due_at > timezone.now() + 60 * SECOND


def test_a_release_leaves_other_connections_alone(
    held: Connection, account: Account, campaign: Campaign
) -> None:
    other = Connection.objects.create(account=account, name="Other", state="held")
    link_campaign(campaign, connection=other, by=SOMEBODY)
    create_referrals(campaign, "jo@example.com")
    Delivery.objects.filter(connection=other).update(
        outcome="unauthorized", due_at=timezone.now() + 60 * SECOND
    )
    release(held, by=SOMEBODY)
    other.refresh_from_db()
    assert other.state == "held"
    found = Delivery.objects.get(connection=other).due_at
    assert found is not None
    assert found > timezone.now() + 50 * SECOND


def test_a_release_resets_the_breaker_and_ramps_up(held: Connection) -> None:
    now = timezone.now()
    refused = ExchangeResult(outcome=Outcome.UNAVAILABLE, is_network_failure=True)
    opened, _ = record(Breaker(), [refused] * 5, now)
    BreakerState.objects.filter(pk=held.pk).update(**from_domain(opened), tokens=0.5)

    release(held, by=SOMEBODY)
    row = BreakerState.objects.get(pk=held.pk)
    breaker = to_domain(row)
    assert breaker.closed_at is not None
    assert breaker == closed(breaker.closed_at)
    assert row.tokens == 0.5
    assert len(claim(limit=32, now=timezone.now(), lease=LEASE)) == 1


def test_a_connection_that_is_paused_or_has_an_open_breaker_is_released(
    link: Link, connection: Connection
) -> None:
    BreakerState.objects.create(pk=connection.pk, open_until=timezone.now() + 60 * SECOND)
    release(connection, by=SOMEBODY)
    assert BreakerState.objects.get().open_until is None
    assert notified_events() == [], "it was active: nothing is new"

    pause_connection(connection, by=SOMEBODY)
    release(connection, by=SOMEBODY)
    assert Connection.objects.get().state == "active"
    assert notified_events() == ["released"]


def test_a_release_applies_although_the_connection_was_read_before_the_hold(
    link: Link, connection: Connection
) -> None:
    Connection.objects.filter(pk=connection.pk).update(state="held")
    assert connection.state == "active", "as it was read"
    release(connection, by=SOMEBODY)
    assert Connection.objects.get().state == "active"
    assert notified_events() == ["released"]


def test_a_release_allows_the_next_hold_to_be_notified(held: Connection) -> None:
    BreakerState.objects.update(
        notified_at={event: timezone.now().isoformat() for event in ("held", "opened")}
    )
    release(held, by=SOMEBODY)
    assert list(BreakerState.objects.get().notified_at) == ["opened"]


def test_new_credentials_and_a_release_deliver_everything(
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
    release(connection, by=SOMEBODY)
    BreakerState.objects.update(closed_at=None)
    assert deliver() == {"delivered": 6}
    assert set(Delivery.objects.values_list("status", "attempts_used")) == {("delivered", 1)}
