"""What a person may ask of deliveries: another attempt, another reading, none at all, past ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from config.queue.job_queue import waiting_jobs
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import classify
from connections.models import Account, Campaign, Connection, Link, ResponseRule
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals.leases import claim
from referrals.models import Delivery, DeliveryAttempt, Referral
from referrals.operations import chunks
from referrals.operations import reread as reread_module
from referrals.operations.backfill import backfill, never_sent
from referrals.operations.cancel import cancel
from referrals.operations.replay import replay
from referrals.operations.reread import reread
from referrals.statuses import DeliveryStatus, Trigger
from tests.referrals.factories import LEASE, create_referrals, deliver, deliver_all, log

SECOND = timedelta(seconds=1)


@pytest.fixture
def other_campaign(account: Account) -> Campaign:
    return Campaign.objects.create(
        account=account, name="Other", key="cmp_other", kind="lead_generation"
    )


def delivery(external_id: str) -> Delivery:
    return Delivery.objects.get(referral__external_id=external_id)


def statuses() -> dict[str, str]:
    rows = Delivery.objects.values_list("referral__external_id", "status")
    return {name: str(status) for name, status in rows}


def take_in_hand(external_id: str) -> None:
    """As if a worker had it: all others wait for later."""
    now = timezone.now()
    Delivery.objects.exclude(referral__external_id=external_id).filter(due_at__lte=now).update(
        due_at=now + 60 * SECOND
    )
    [taken] = claim(limit=32, now=now, lease=LEASE)
    assert taken.delivery_id == delivery(external_id).pk


def test_a_replay_is_another_attempt_of_the_same_delivery(
    link: Link, campaign: Campaign, crm: CRM
) -> None:
    create_referrals(campaign, "jo@example.com")
    deliver()
    key = delivery("jo@example.com").idempotency_key

    assert replay(Delivery.objects.all()) == 1
    put_back = delivery("jo@example.com")
    assert (put_back.status, put_back.next_trigger, put_back.attempts_used) == (
        "pending",
        "replay",
        0,
    )
    assert put_back.finished_at is None

    assert deliver() == {"duplicate": 1}
    assert log() == [(1, "delivered", 200), (2, "duplicate", 400)]
    causes = DeliveryAttempt.objects.order_by("number").values_list("trigger", flat=True)
    assert list(causes) == ["first", "replay"]
    assert {one.headers["Idempotency-Key"] for one in crm.received()} == {key}


def test_a_replay_rings_the_doorbell(link: Link, campaign: Campaign, redis: Any) -> None:
    create_referrals(campaign, "jo@example.com")
    redis.flushdb()
    replay(Delivery.objects.all())
    assert waiting_jobs() == 1


def test_a_replay_takes_the_place_of_the_attempt_that_was_to_come(
    link: Link, campaign: Campaign
) -> None:
    create_referrals(campaign, "error@example.com")
    deliver()
    waits = delivery("error@example.com")
    assert waits.due_at is not None
    assert (waits.attempts_used, waits.due_at > timezone.now() + 3 * SECOND) == (1, True)

    replay(Delivery.objects.all())
    put_back = delivery("error@example.com")
    assert put_back.due_at is not None
    assert (put_back.attempts_used, put_back.due_at <= timezone.now()) == (0, True)
    deliver()
    assert log() == [(1, "unavailable", 500), (2, "unavailable", 500)]
    assert delivery("error@example.com").attempts_used == 1


def test_a_replay_leaves_what_a_worker_has_in_hand_alone(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")
    take_in_hand("a@example.com")
    assert replay(Delivery.objects.all()) == 1
    assert delivery("a@example.com").next_trigger == Trigger.FIRST
    assert delivery("b@example.com").next_trigger == Trigger.REPLAY


def test_a_replay_starts_the_schedule_anew(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "error@example.com")
    deliver()
    Delivery.objects.update(
        status="unavailable", due_at=None, attempts_used=12, finished_at=timezone.now()
    )
    replay(Delivery.objects.all())
    deliver()
    assert (delivery("error@example.com").status, delivery("error@example.com").attempts_used) == (
        "pending",
        1,
    )


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        (2.0, [0, 0, 1, 1, 2]),
        (1.0, [0, 1, 2, 3, 4]),
        (0.5, [0, 2, 4, 6, 8]),
        (2.5, [0, 0, 0.8, 0.8, 1.6]),
        (100.0, [0, 0, 0, 0, 0]),
        (None, [0, 0, 0, 0, 0]),
    ],
)
def test_a_rate_spreads_the_attempts(
    link: Link, campaign: Campaign, rate: float | None, seconds: list[float]
) -> None:
    create_referrals(campaign, *[f"jo{number}@example.com" for number in range(5)])
    before = timezone.now()
    assert replay(Delivery.objects.all(), rate=rate) == 5
    after = timezone.now()
    dues = Delivery.objects.order_by("pk").values_list("due_at", flat=True)
    for due, offset in zip(dues, seconds, strict=True):
        assert due is not None
        assert before <= due - offset * SECOND <= after


def test_many_are_replayed_in_pieces(
    link: Link, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 2)
    create_referrals(campaign, *[f"jo{number}@example.com" for number in range(5)])
    Delivery.objects.update(status="rejected", due_at=None)
    assert replay(Delivery.objects.filter(status="rejected")) == 5
    assert set(statuses().values()) == {"pending"}


def test_cancelled_deliveries_are_never_sent(link: Link, campaign: Campaign, crm: CRM) -> None:
    create_referrals(campaign, "a@example.com", "b@example.com")
    assert cancel(Delivery.objects.filter(referral__external_id="a@example.com")) == 1
    assert deliver() == {"delivered": 1}
    assert statuses() == {"a@example.com": "cancelled", "b@example.com": "delivered"}
    assert delivery("a@example.com").finished_at is not None
    assert [one.email for one in crm.received()] == ["b@example.com"]


def test_only_what_waits_can_be_cancelled(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "a@example.com")
    deliver()
    create_referrals(campaign, "b@example.com", "c@example.com")
    take_in_hand("b@example.com")
    assert cancel(Delivery.objects.all()) == 1
    assert statuses() == {
        "a@example.com": "delivered",
        "b@example.com": "pending",
        "c@example.com": "cancelled",
    }


def test_what_was_cancelled_can_be_replayed(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "a@example.com")
    cancel(Delivery.objects.all())
    assert replay(Delivery.objects.all()) == 1
    assert deliver() == {"delivered": 1}


def add_rule(connection: Connection, outcome: str, **columns: Any) -> None:
    """A rule that comes first."""
    ResponseRule.objects.update(position=F("position") + 1)
    ResponseRule.objects.create(connection=connection, position=1, outcome=outcome, **columns)


@pytest.fixture
def answered(link: Link, campaign: Campaign, crm: CRM) -> None:
    """One that no rule covered, one refused, one delivered; and the CRM forgets them."""
    create_referrals(campaign, "odd@example.com", "jo@example.com", "no@mail")
    deliver()
    assert statuses() == {
        "odd@example.com": "unrecognised",
        "jo@example.com": "delivered",
        "no@mail": "rejected",
    }
    crm.forget()


def everything() -> list[Any]:
    return [
        *Delivery.objects.order_by("pk").values(),
        *DeliveryAttempt.objects.order_by("pk").values(),
    ]


def test_rules_that_read_the_same_change_nothing(answered: None) -> None:
    before = everything()
    assert reread(Delivery.objects.all()) == {}
    assert everything() == before


def test_rereading_changes_only_what_reads_otherwise_and_sends_nothing(
    answered: None, connection: Connection, crm: CRM
) -> None:
    before = {name: delivery(name).finished_at for name in statuses()}
    add_rule(connection, "delivered", status="200", where="text", operator="contains", value="soon")

    assert reread(Delivery.objects.all()) == {"delivered": 1}

    found = delivery("odd@example.com")
    assert (found.status, found.outcome, found.due_at) == ("delivered", "delivered", None)
    assert found.finished_at != before["odd@example.com"]
    attempt = found.attempts.get()
    assert (attempt.outcome, attempt.rule) == (
        "delivered",
        "status 200 and text contains soon → delivered",
    )
    for name in ("jo@example.com", "no@mail"):
        assert delivery(name).finished_at == before[name]
    assert crm.received() == []


def test_rereading_can_put_a_delivery_back(
    answered: None, connection: Connection, crm: CRM
) -> None:
    add_rule(
        connection, "unavailable", status="200", where="text", operator="contains", value="soon"
    )
    before = timezone.now()
    assert reread(Delivery.objects.all()) == {"unavailable": 1}
    found = delivery("odd@example.com")
    assert (found.status, found.attempts_used, found.next_trigger) == ("pending", 1, Trigger.RETRY)
    assert found.finished_at is None
    assert found.due_at is not None
    assert before + 5 * SECOND <= found.due_at <= timezone.now() + 5 * SECOND


def test_rereading_reads_reason_and_reference_too(answered: None, connection: Connection) -> None:
    Connection.objects.update(reason_path="title", reference_path="status")
    add_rule(connection, "suppressed", status="400")
    assert reread(Delivery.objects.all()) == {"suppressed": 1}
    attempt = delivery("no@mail").attempts.get()
    assert (attempt.reason, attempt.reference) == ("Invalid Resource", "400")


def test_rereading_reads_the_last_answer(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, "jo@example.com")
    deliver()
    replay(Delivery.objects.all())
    deliver()
    add_rule(link.connection, "rejected", status="200")
    assert reread(Delivery.objects.all()) == {}
    add_rule(link.connection, "suppressed", status="400")
    assert reread(Delivery.objects.all()) == {"suppressed": 1}
    assert log() == [(1, "delivered", 200), (2, "suppressed", 400)]


def test_rereading_leaves_alone_what_waits_and_what_is_in_hand(
    answered: None, connection: Connection, campaign: Campaign
) -> None:
    add_rule(connection, "suppressed", status="2xx")
    replay(Delivery.objects.filter(referral__external_id="odd@example.com"))
    before = everything()
    assert reread(Delivery.objects.filter(referral__external_id="odd@example.com")) == {}
    assert everything() == before

    take_in_hand("odd@example.com")
    assert reread(Delivery.objects.filter(referral__external_id="odd@example.com")) == {}


def test_what_somebody_did_while_it_was_reread_counts(
    answered: None, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rule(connection, "suppressed", status="2xx")

    def meanwhile(*values: Any) -> Any:
        replay(Delivery.objects.filter(referral__external_id="jo@example.com"))
        return classify(*values)

    monkeypatch.setattr(reread_module, "classify", meanwhile)
    assert reread(Delivery.objects.all()) == {"suppressed": 1}
    assert statuses()["jo@example.com"] == "pending"
    assert log("jo@example.com") == [(1, "delivered", 200)]


def test_rules_that_are_none_today_read_by_what_holds_without_rules(
    answered: None, connection: Connection
) -> None:
    add_rule(connection, "delivered", status="nonsense")
    reread(Delivery.objects.all())
    assert statuses() == {
        "odd@example.com": "delivered",
        "jo@example.com": "delivered",
        "no@mail": "rejected",
    }


def test_a_new_link_can_be_given_past_referrals(
    account: Account, campaign: Campaign, connection: Connection, crm: CRM
) -> None:
    create_referrals(campaign, "old@example.com", "a@example.com", "b@example.com")
    Referral.objects.filter(external_id="old@example.com").update(
        accepted_at=timezone.now() - timedelta(days=40)
    )
    link_campaign(campaign, connection=connection, by=None)
    create_referrals(campaign, "new@example.com")
    deliver()
    since = timezone.now() - timedelta(days=30)

    assert never_sent(campaign, connection, since=since).count() == 2
    assert backfill(campaign, connection, since=since) == 2
    assert never_sent(campaign, connection, since=since).count() == 0
    assert backfill(campaign, connection, since=since) == 0, "once is enough"

    assert deliver() == {"delivered": 2}
    assert {one.email for one in crm.received()} == {
        "new@example.com",
        "a@example.com",
        "b@example.com",
    }
    causes = DeliveryAttempt.objects.order_by("pk").values_list("trigger", flat=True)
    assert list(causes) == ["first", "replay", "replay"]


def test_a_backfill_gives_no_other_campaigns_referrals(
    link: Link, other_campaign: Campaign, connection: Connection
) -> None:
    create_referrals(other_campaign, "other@example.com")
    since = timezone.now() - timedelta(days=1)
    assert backfill(link.campaign, connection, since=since) == 0


def test_everything_that_can_be_reread_has_an_answer_and_no_attempt_to_come() -> None:
    assert not any(status.is_pending for status in reread_module.REREADABLE)
    assert {status.value for status in reread_module.REREADABLE} <= {one.value for one in Outcome}
    assert DeliveryStatus.CANCELLED not in reread_module.REREADABLE


def test_an_outage_is_over_and_everything_is_replayed(link: Link, campaign: Campaign) -> None:
    create_referrals(campaign, *[f"flaky.{number}@example.com" for number in range(4)])
    Connection.objects.update(limits={"schedule": [0]})
    deliver_all()
    assert set(statuses().values()) == {"unavailable"}

    assert replay(Delivery.objects.filter(status="unavailable")) == 4
    deliver_all()
    assert replay(Delivery.objects.filter(status="unavailable")) == 4
    deliver_all()
    assert set(statuses().values()) == {"delivered"}
