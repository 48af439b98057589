"""A believable day of one advertiser, for the screenshots.

Every exchange was really made with the CRM simulator; only its time is spread over the day.
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
_TO_THE_WORKER = timedelta(milliseconds=9)
_NEWSLETTER, _LOYALTY, _TEST_DRIVES = 320, 140, 90
"""Referrals of each campaign."""

Person = tuple[str, str, str]
"""E-mail, first and last name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenshotData:
    """What the pictures are taken of."""

    person: User
    connection: Connection
    odd: Delivery


def seed(crm: CRM) -> ScreenshotData:
    """An advertiser with four connections, of which one is held and one is new."""
    demo = create_demo(crm_url=crm.url, by=SOMEBODY)
    Account.objects.filter(slug=demo.account).update(name="Northwind Travel")
    account, person = Account.objects.get(slug=demo.account), User.objects.get(username=demo.login)
    newsletter = _renamed(account, "Demo CRM (JSON)", "Mailchimp newsletter", person)
    drives = _renamed(account, "Demo CRM (URL encoded)", "Sendy test drives", person)
    loyalty = _add_loyalty(newsletter, person)
    store_connection(replace(presets()["hubspot_contact"].spec, name="HubSpot"), account=account)
    for connection in (newsletter, drives, loyalty):
        send_test(connection, person)
    _pass_a_day(newsletter, drives, loyalty)
    _trouble_of_now(crm, newsletter, loyalty)
    crm.clear()  # So that whoever presses Test is met as a new person.
    heartbeats.record_heartbeat(heartbeats.WORKER)
    heartbeats.record_heartbeat(heartbeats.TICK)
    odd = Delivery.objects.get(status="unrecognised", connection=newsletter)
    return ScreenshotData(person=person, connection=newsletter, odd=odd)


def _renamed(account: Account, name: str, new: str, person: User) -> Connection:
    connection = Connection.objects.get(account=account, name=name)
    connection.name = new
    connection.save()
    TechnicalContact.objects.create(
        connection=connection, name="John Smith", role="Technical Support",
        email="john.smith@company.example",
    )  # fmt: skip
    Link.objects.filter(connection=connection).update(linked_by=person)
    return connection


def _add_loyalty(like: Connection, person: User) -> Connection:
    spec = replace(build_spec(like), name="Loyalty programme")
    connection = store_connection(spec, account=like.account)
    campaign = Campaign.objects.create(
        account=like.account, name="Loyalty sign-up", kind="email_subscription"
    )
    link_campaign(campaign, connection=connection, by=Actor(door=Door.ADMIN, user=person))
    return connection


def _pass_a_day(newsletter: Connection, drives: Connection, loyalty: Connection) -> None:
    """Referrals of all campaigns in turn, delivered, then spread over the last hours."""
    chance = random.Random(20)
    day = [
        *((newsletter, who) for who in _people(chance, _NEWSLETTER)),
        *((drives, who) for who in _people(chance, _TEST_DRIVES)),
        *((loyalty, who) for who in _people(chance, _LOYALTY)),
        *((newsletter, (f"{name}@localhost", "Ivo", "Hale")) for name in ("ivo", "hale", "ih")),
        (newsletter, ("reset.1@example.com", "Emil", "Foster")),
        (drives, ("odd.2@example.com", "Carla", "Dale")),
    ]
    chance.shuffle(day)
    for connection, who in day:
        _hand_in(connection, who)
    while Delivery.objects.filter(outcome="").exists():
        deliver()
    _spread_over_the_day(chance)


def _trouble_of_now(crm: CRM, newsletter: Connection, loyalty: Connection) -> None:
    """An answer that nobody understands, a CRM that is away, and credentials that are refused."""
    right = crm.key
    crm.change_key("another")
    for who in _people(random.Random(1), 5):
        _hand_in(loyalty, who)
    deliver()
    crm.change_key(right)
    for name in ("error.1", "error.2", "odd.1"):
        _hand_in(newsletter, (f"{name}@example.com", "Mia", "Novak"))
    deliver()


def _people(chance: random.Random, count: int) -> list[Person]:
    """Some of them come twice, as people do."""
    found: list[Person] = []
    for number in range(count):
        if found and chance.random() < 1 / 12:
            found.append(chance.choice(found))
            continue
        first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
        found.append((f"{first}.{last}{number}@example.com".lower(), first, last))
    return found


def _hand_in(connection: Connection, who: Person) -> None:
    email, first, last = who
    number = Referral.objects.count() + 1001
    accept_referrals(
        connection.links.get().campaign,
        [item(f"order-{number}", email=email, first_name=first, last_name=last, country="DE")],
    )


def _spread_over_the_day(chance: random.Random) -> None:
    """Give each delivery a time of the day, and its attempts a believable duration."""
    now = timezone.now()
    rows = Delivery.objects.exclude(finished_at=None).order_by("pk")
    moments = sorted(_moment(chance, now) for _ in rows)
    for delivery, moment in zip(rows, moments, strict=True):
        _move(delivery, moment, round(chance.lognormvariate(4.4, 0.5)))


def _moment(chance: random.Random, now: datetime) -> datetime:
    """More in the evening than at night."""
    while True:
        moment = now - _DAY * chance.random()
        if chance.random() < 0.55 + 0.45 * math.sin((moment.hour - 10) / 24 * math.tau):
            return moment


def _move(delivery: Delivery, accepted: datetime, took: int) -> None:
    Referral.objects.filter(pk=delivery.referral_id).update(accepted_at=accepted)
    delivery.attempts.update(started_at=accepted + _TO_THE_WORKER, duration_ms=took)
    Delivery.objects.filter(pk=delivery.pk).update(
        created_at=accepted,
        finished_at=accepted + _TO_THE_WORKER + timedelta(milliseconds=took),
    )
