"""Mail about a connection: to whom, what it says, how often, and what it must never hold."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone
from django_rq import get_queue
from redis import Redis

from config.queue import job_queue
from connections.models import Account, Campaign, Connection, Link, TechnicalContact
from connections.simulator import CRM
from referrals import jobs
from referrals.models import BreakerState
from referrals.monitoring.notifications import NOTIFICATION_INTERVAL, send_notification
from referrals.throttling.breaker import Event
from tests.referrals.factories import create_referrals, deliver, in_threads, waiting

_MAX_SECONDS = 20


@pytest.fixture
def people(account: Account, connection: Connection) -> None:
    """Two technical contacts, two members of whom one has left, and a stranger."""
    for name in ("Tess", "Toni"):
        email = f"{name.lower()}@crm.example"
        TechnicalContact.objects.create(connection=connection, name=name, email=email)
    member = User.objects.create(username="mia", email="mia@agency.example")
    gone = User.objects.create(username="gus", email="gus@agency.example", is_active=False)
    silent = User.objects.create(username="sam", email="")
    account.members.add(member, gone, silent)
    User.objects.create(username="eve", email="eve@other.example")


def html(message: Any) -> str:
    [(content, mimetype)] = message.alternatives
    assert mimetype == "text/html"
    return str(content)


def test_contacts_and_members_are_told_and_do_not_see_each_other(
    people: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    assert send_notification(connection.pk, Event.HELD, "") == 3
    [message] = mailoutbox
    assert message.bcc == ["mia@agency.example", "tess@crm.example", "toni@crm.example"]
    assert (message.to, message.cc) == ([], [])


def test_somebody_who_is_both_is_told_once(
    people: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    TechnicalContact.objects.update_or_create(
        connection=connection, name="Mia", email="mia@agency.example"
    )
    send_notification(connection.pk, Event.HELD, "")
    assert mailoutbox[0].bcc.count("mia@agency.example") == 1


def test_where_there_is_nobody_nobody_is_told_and_nothing_is_remembered(
    connection: Connection, mailoutbox: list[Any]
) -> None:
    assert send_notification(connection.pk, Event.HELD, "") == 0
    assert mailoutbox == []
    assert not BreakerState.objects.exists()


@pytest.mark.parametrize(
    ("event", "subject", "words"),
    [
        (Event.OPENED, "Mailing list can't be reached; its referrals wait", "is tried again by"),
        (Event.CLOSED, "Mailing list answers again", "is being delivered now"),
        (Event.HELD, "Mailing list is held: somebody must look", "and release it"),
        (Event.RELEASED, "Mailing list was released", "delivers again"),
    ],
)
def test_each_event_is_told_in_text_and_html(
    people: None,
    connection: Connection,
    mailoutbox: list[Any],
    settings: Any,
    event: Event,
    subject: str,
    words: str,
) -> None:
    settings.BASE_URL = "https://referrals.example"
    send_notification(connection.pk, event, "Nothing came for 15 s.")
    [message] = mailoutbox
    assert message.subject == subject
    address = f"https://referrals.example{connection.get_absolute_url()}"
    for text in (message.body, html(message)):
        found = " ".join(text.split())
        for part in ("Mailing list", "Acme", words, "Nothing came for 15 s.", address):
            assert part in found
    assert "<" not in message.body
    assert "{" not in message.body + html(message)


@pytest.mark.parametrize(("count", "said"), [(1, "1 referral waits"), (3, "3 referrals wait")])
def test_it_says_how_many_wait(
    people: None,
    connection: Connection,
    campaign: Campaign,
    mailoutbox: list[Any],
    count: int,
    said: str,
) -> None:
    waiting(campaign, connection, *[f"jo{number}@example.com" for number in range(count)])
    send_notification(connection.pk, Event.OPENED, "")
    assert said in mailoutbox[0].body
    assert f"Referrals that wait: {count}." in html(mailoutbox[0])
    assert "What the CRM said last" not in mailoutbox[0].body + html(mailoutbox[0])


def test_the_same_news_is_told_once_in_fifteen_minutes(
    people: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    assert send_notification(connection.pk, Event.OPENED, "") == 3
    assert send_notification(connection.pk, Event.OPENED, "") == 0
    assert send_notification(connection.pk, Event.CLOSED, "") == 3
    assert len(mailoutbox) == 2

    row = BreakerState.objects.get()
    row.notified_at["opened"] = (
        timezone.now() - NOTIFICATION_INTERVAL + timedelta(seconds=5)
    ).isoformat()
    row.save()
    assert send_notification(connection.pk, Event.OPENED, "") == 0

    row.notified_at["opened"] = (timezone.now() - NOTIFICATION_INTERVAL).isoformat()
    row.save()
    assert send_notification(connection.pk, Event.OPENED, "") == 3


def test_connections_are_told_of_apart(
    people: None, connection: Connection, account: Account, mailoutbox: list[Any]
) -> None:
    other = Connection.objects.create(account=account, name="Other")
    send_notification(connection.pk, Event.OPENED, "")
    assert send_notification(other.pk, Event.OPENED, "") == 1
    assert mailoutbox[1].bcc == ["mia@agency.example"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_once(
    people: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    together = Barrier(2)

    def work() -> int:
        together.wait(_MAX_SECONDS)
        return send_notification(connection.pk, Event.OPENED, "")

    assert sorted(in_threads(work, work)) == [0, 3]
    assert len(mailoutbox) == 1


def test_what_a_crm_says_is_no_html(
    people: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    said = "<script>alert('1')</script> & {{ settings.SECRET_KEY }}"
    send_notification(connection.pk, Event.HELD, said)
    assert said in mailoutbox[0].body
    assert "<script>" not in html(mailoutbox[0])
    assert "&lt;script&gt;" in html(mailoutbox[0])


def perform_jobs() -> None:
    """What a worker would do with the notices that wait."""
    for job in get_queue("deliveries").jobs:
        if job.func_name == "referrals.jobs.tell":
            jobs.tell(*job.args)


def test_no_credential_and_no_person_is_in_a_mail(
    people: None, link: Link, campaign: Campaign, mailoutbox: list[Any], crm: CRM
) -> None:
    names = [f"unauthorized.{number}@example.com" for number in range(4)]
    create_referrals(campaign, *names, first_name="Fiona")
    deliver()
    perform_jobs()

    [message] = mailoutbox
    assert "Your API key may be invalid" in message.body
    everything = "".join([message.subject, message.body, html(message)])
    for secret in (crm.key, "unauthorized.", "Fiona", "Basic "):
        assert secret not in everything


def test_a_credential_that_the_crm_repeats_is_masked(
    people: None, link: Link, connection: Connection, campaign: Campaign, mailoutbox: list[Any]
) -> None:
    # The simulator repeats no password, so the password is what it says anyway.
    connection.secrets = {"password": "Your API key may be invalid"}
    connection.save()
    create_referrals(campaign, *[f"unauthorized.{number}@example.com" for number in range(3)])
    deliver()
    perform_jobs()
    [message] = mailoutbox
    assert "Your API key may be invalid" not in message.body + html(message)
    assert "••••" in message.body


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    away = Redis.from_url(f"unix://{settings.VAR_DIR}/nobody-listens.sock")
    monkeypatch.setattr(job_queue, "redis_connection", lambda: away)
    job_queue._queue.cache_clear()


def test_without_redis_the_process_tells_people_itself(
    people: None, no_redis: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    job_queue.notify(connection.pk, Event.OPENED, "gone")
    assert [message.subject for message in mailoutbox] == [
        "Mailing list can't be reached; its referrals wait"
    ]


def test_without_redis_people_are_told_once_the_transaction_is_committed(
    people: None, no_redis: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    with transaction.atomic():
        job_queue.notify(connection.pk, Event.OPENED, "gone")
        assert mailoutbox == []
    assert len(mailoutbox) == 1


def test_without_redis_and_without_a_mail_server_deliveries_go_on(
    people: None,
    no_redis: None,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    job_queue.notify(connection.pk, Event.OPENED, "gone")
    assert "Nobody was told" in caplog.text
