"""Data for the screenshots: one day of one advertiser.

Every exchange is made with the CRM simulator; afterwards the times are spread over the day.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from config.queue import heartbeats
from connections.importers.presets import presets
from connections.mapping.to_rows import store_connection
from connections.mapping.to_spec import build_spec
from connections.models import Account, Campaign, Connection, Link, TechnicalContact
from connections.operations.connection_tests import send_test
from connections.operations.history import Actor, Door
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals.demo import create_demo
from referrals.intake import accept_referrals
from referrals.models import Delivery, Referral
from tests.referrals.factories import deliver, item
from tests.users import SOMEBODY

_FIRST_NAMES = ("Ada", "Ben", "Carla", "Dana", "Emil", "Farah", "Goran", "Hanna", "Ivo", "Jana")
_LAST_NAMES = ("Archer", "Brook", "Castle", "Dale", "Ellis", "Foster", "Grant", "Hale", "Irwin")

_DAY = timedelta(hours=23)
_QUEUE_DELAY = timedelta(milliseconds=9)
_NEWSLETTER, _LOYALTY, _TEST_DRIVES = 320, 140, 90
"""Referrals of each campaign."""

Person = tuple[str, str, str]
"""E-mail, first and last name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenshotData:
    """The user and the rows that the screenshots show."""

    user: User
    connection: Connection
    unrecognised: Delivery


def seed(crm: CRM) -> ScreenshotData:
    """Create an advertiser with four connections, of which one is held and one is new."""
    demo = create_demo(crm_url=crm.url, by=SOMEBODY)
    Account.objects.filter(slug=demo.account).update(name="Northwind Travel")
    account, user = Account.objects.get(slug=demo.account), User.objects.get(username=demo.login)
    newsletter = _rename(account, "Demo CRM (JSON)", "Mailchimp newsletter", user)
    drives = _rename(account, "Demo CRM (URL encoded)", "Sendy test drives", user)
    loyalty = _add_loyalty(newsletter, user)
    store_connection(replace(presets()["hubspot_contact"].spec, name="HubSpot"), account=account)
    for connection in (newsletter, drives, loyalty):
        send_test(connection, user)
    _create_day(newsletter, drives, loyalty)
    _create_failures(crm, newsletter, loyalty)
    crm.clear()  # So that a test of the sample person is a delivery and no duplicate.
    heartbeats.record_heartbeat(heartbeats.WORKER)
    heartbeats.record_heartbeat(heartbeats.TICK)
    unrecognised = Delivery.objects.get(status="unrecognised", connection=newsletter)
    return ScreenshotData(user=user, connection=newsletter, unrecognised=unrecognised)


def _rename(account: Account, name: str, new: str, user: User) -> Connection:
    connection = Connection.objects.get(account=account, name=name)
    connection.name = new
    connection.save()
    TechnicalContact.objects.create(
        connection=connection, name="John Smith", role="Technical Support",
        email="john.smith@company.example",
    )  # fmt: skip
    Link.objects.filter(connection=connection).update(linked_by=user)
    return connection


def _add_loyalty(like: Connection, user: User) -> Connection:
    spec = replace(build_spec(like), name="Loyalty programme")
    connection = store_connection(spec, account=like.account)
    campaign = Campaign.objects.create(
        account=like.account, name="Loyalty sign-up", kind="email_subscription"
    )
    link_campaign(campaign, connection=connection, by=Actor(door=Door.ADMIN, user=user))
    return connection


def _create_day(newsletter: Connection, drives: Connection, loyalty: Connection) -> None:
    """Create and deliver referrals of all campaigns, and spread them over the last hours."""
    rng = random.Random(20)
    day = [
        *((newsletter, person) for person in _random_people(rng, _NEWSLETTER)),
        *((drives, person) for person in _random_people(rng, _TEST_DRIVES)),
        *((loyalty, person) for person in _random_people(rng, _LOYALTY)),
        *((newsletter, (f"{name}@localhost", "Ivo", "Hale")) for name in ("ivo", "hale", "ih")),
        (newsletter, ("reset.1@example.com", "Emil", "Foster")),
        (drives, ("odd.2@example.com", "Carla", "Dale")),
    ]
    rng.shuffle(day)
    for connection, person in day:
        _accept_referral(connection, person)
    while Delivery.objects.filter(outcome="").exists():
        deliver()
    _spread_over_the_day(rng)


def _create_failures(crm: CRM, newsletter: Connection, loyalty: Connection) -> None:
    """Create an unrecognised response, server errors, and refused credentials."""
    key = crm.key
    crm.change_key("another")
    for person in _random_people(random.Random(1), 5):
        _accept_referral(loyalty, person)
    deliver()
    crm.change_key(key)
    for name in ("error.1", "error.2", "odd.1"):
        _accept_referral(newsletter, (f"{name}@example.com", "Mia", "Novak"))
    deliver()


def _random_people(rng: random.Random, count: int) -> list[Person]:
    """Return people, some of them twice, as in real data."""
    people: list[Person] = []
    for number in range(count):
        if people and rng.random() < 1 / 12:
            people.append(rng.choice(people))
            continue
        first, last = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
        people.append((f"{first}.{last}{number}@example.com".lower(), first, last))
    return people


def _accept_referral(connection: Connection, person: Person) -> None:
    email, first, last = person
    number = Referral.objects.count() + 1001
    accept_referrals(
        connection.links.get().campaign,
        [item(f"order-{number}", email=email, first_name=first, last_name=last, country="DE")],
    )


def _spread_over_the_day(rng: random.Random) -> None:
    """Move each delivery to a time of the day, and give its attempts realistic durations."""
    now = timezone.now()
    rows = Delivery.objects.exclude(finished_at=None).order_by("pk")
    times = sorted(_random_time(rng, now) for _ in rows)
    for delivery, time in zip(rows, times, strict=True):
        _move(delivery, time, round(rng.lognormvariate(4.4, 0.5)))


def _random_time(rng: random.Random, now: datetime) -> datetime:
    """Return a time of the last hours; evenings are likelier than nights."""
    while True:
        time = now - _DAY * rng.random()
        if rng.random() < 0.55 + 0.45 * math.sin((time.hour - 10) / 24 * math.tau):
            return time


def _move(delivery: Delivery, accepted: datetime, duration_ms: int) -> None:
    Referral.objects.filter(pk=delivery.referral_id).update(accepted_at=accepted)
    delivery.attempts.update(started_at=accepted + _QUEUE_DELAY, duration_ms=duration_ms)
    Delivery.objects.filter(pk=delivery.pk).update(
        created_at=accepted,
        finished_at=accepted + _QUEUE_DELAY + timedelta(milliseconds=duration_ms),
    )
