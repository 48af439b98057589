"""Tests of mails about a connection: recipients, content and interval."""

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

from connections.models import Account, Campaign, Connection, Link, TechnicalContact
from connections.simulator import CRM
from referrals import jobs
from referrals.enqueue import notify
from referrals.models import BreakerState
from referrals.monitoring.notifications import NOTIFICATION_INTERVAL, send_notification
from referrals.throttling.breaker import Event
from tests.referrals.factories import create_pending, create_referrals, deliver, run_in_threads
from tests.timing import WAIT_SECONDS


@pytest.fixture
def recipients(account: Account, connection: Connection) -> None:
    """Create two contacts, three members (one inactive, one without an address) and a stranger."""
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


def test_contacts_and_members_are_notified_and_do_not_see_each_other(
    recipients: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    assert send_notification(connection.pk, Event.HELD, "") == 3
    [message] = mailoutbox
    assert message.bcc == ["mia@agency.example", "tess@crm.example", "toni@crm.example"]
    assert (message.to, message.cc) == ([], [])


def test_a_contact_who_is_also_a_member_is_notified_once(
    recipients: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    TechnicalContact.objects.update_or_create(
        connection=connection, name="Mia", email="mia@agency.example"
    )
    send_notification(connection.pk, Event.HELD, "")
    assert mailoutbox[0].bcc.count("mia@agency.example") == 1


def test_a_connection_without_recipients_sends_no_mail_and_records_nothing(
    connection: Connection, mailoutbox: list[Any]
) -> None:
    assert send_notification(connection.pk, Event.HELD, "") == 0
    assert mailoutbox == []
    assert not BreakerState.objects.exists()


@pytest.mark.parametrize(
    ("event", "subject", "text"),
    [
        (Event.OPENED, "Mailing list can't be reached; its referrals wait", "is tried again by"),
        (Event.CLOSED, "Mailing list answers again", "is being delivered now"),
        (Event.HELD, "Mailing list is held: somebody must look", "and release it"),
        (Event.RELEASED, "Mailing list was released", "delivers again"),
    ],
)
def test_each_event_is_mailed_as_text_and_html(
    recipients: None,
    connection: Connection,
    mailoutbox: list[Any],
    settings: Any,
    event: Event,
    subject: str,
    text: str,
) -> None:
    settings.BASE_URL = "https://referrals.example"
    send_notification(connection.pk, event, "Nothing came for 15 s.")
    [message] = mailoutbox
    assert message.subject == subject
    url = f"https://referrals.example{connection.get_absolute_url()}"
    for content in (message.body, html(message)):
        found = " ".join(content.split())
        for part in ("Mailing list", "Acme", text, "Nothing came for 15 s.", url):
            assert part in found
    assert "<" not in message.body
    assert "{" not in message.body + html(message)


@pytest.mark.parametrize(("count", "phrase"), [(1, "1 referral waits"), (3, "3 referrals wait")])
def test_a_mail_says_how_many_referrals_wait(
    recipients: None,
    connection: Connection,
    campaign: Campaign,
    mailoutbox: list[Any],
    count: int,
    phrase: str,
) -> None:
    create_pending(campaign, connection, *[f"jo{number}@example.com" for number in range(count)])
    send_notification(connection.pk, Event.OPENED, "")
    assert phrase in mailoutbox[0].body
    assert f"Referrals that wait: {count}." in html(mailoutbox[0])
    assert "What the CRM said last" not in mailoutbox[0].body + html(mailoutbox[0])


def test_the_same_event_is_mailed_once_in_fifteen_minutes(
    recipients: None, connection: Connection, mailoutbox: list[Any]
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


def test_the_interval_between_mails_applies_to_each_connection(
    recipients: None, connection: Connection, account: Account, mailoutbox: list[Any]
) -> None:
    other = Connection.objects.create(account=account, name="Other")
    send_notification(connection.pk, Event.OPENED, "")
    assert send_notification(other.pk, Event.OPENED, "") == 1
    assert mailoutbox[1].bcc == ["mia@agency.example"]


@pytest.mark.django_db(transaction=True)
def test_two_concurrent_workers_send_one_mail(
    recipients: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    together = Barrier(2)

    def work() -> int:
        together.wait(WAIT_SECONDS)
        return send_notification(connection.pk, Event.OPENED, "")

    assert sorted(run_in_threads(work, work)) == [0, 3]
    assert len(mailoutbox) == 1


def test_the_reason_from_a_crm_is_escaped_in_html(
    recipients: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    reason = "<script>alert('1')</script> & {{ settings.SECRET_KEY }}"
    send_notification(connection.pk, Event.HELD, reason)
    assert reason in mailoutbox[0].body
    assert "<script>" not in html(mailoutbox[0])
    assert "&lt;script&gt;" in html(mailoutbox[0])


def run_notify_jobs() -> None:
    """Run the queued notifications, as a worker would."""
    for job in get_queue("deliveries").jobs:
        if job.func_name == "referrals.jobs.notify":
            jobs.notify(*job.args)


def test_a_mail_contains_no_credential_and_no_personal_data(
    recipients: None, link: Link, campaign: Campaign, mailoutbox: list[Any], crm: CRM
) -> None:
    names = [f"unauthorized.{number}@example.com" for number in range(4)]
    create_referrals(campaign, *names, first_name="Fiona")
    deliver()
    run_notify_jobs()

    [message] = mailoutbox
    assert "Your API key may be invalid" in message.body
    everything = "".join([message.subject, message.body, html(message)])
    for secret in (crm.key, "unauthorized.", "Fiona", "Basic "):
        assert secret not in everything


def test_a_credential_that_the_crm_repeats_is_masked_in_a_mail(
    recipients: None, link: Link, connection: Connection, campaign: Campaign, mailoutbox: list[Any]
) -> None:
    # The simulator repeats no password, so the password is set to what it says.
    connection.secrets = {"password": "Your API key may be invalid"}
    connection.save()
    create_referrals(campaign, *[f"unauthorized.{number}@example.com" for number in range(3)])
    deliver()
    run_notify_jobs()
    [message] = mailoutbox
    assert "Your API key may be invalid" not in message.body + html(message)
    assert "••••" in message.body


def test_the_process_sends_the_mail_itself_without_redis(
    recipients: None, redis_down: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    notify(connection.pk, Event.OPENED, "gone")
    assert [message.subject for message in mailoutbox] == [
        "Mailing list can't be reached; its referrals wait"
    ]


def test_a_mail_without_redis_is_sent_once_the_transaction_is_committed(
    recipients: None, redis_down: None, connection: Connection, mailoutbox: list[Any]
) -> None:
    with transaction.atomic():
        notify(connection.pk, Event.OPENED, "gone")
        assert mailoutbox == []
    assert len(mailoutbox) == 1


def test_a_failed_mail_without_redis_is_logged_and_not_raised(
    recipients: None,
    redis_down: None,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    notify(connection.pk, Event.OPENED, "gone")
    assert "referrals.jobs.notify failed in this process" in caplog.text
