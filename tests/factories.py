"""One account with a row of everything, each text marked, so that a foreign one is recognised."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from connections.core.attributes import CampaignKind
from connections.models import (
    Account,
    Campaign,
    Connection,
    ConnectionTest,
    CustomAttribute,
    Endpoint,
    ExpectedResponse,
    Link,
    ResponseRule,
    TechnicalContact,
)
from referrals.models import BreakerState, Delivery, DeliveryAttempt, IntakeKey, Referral
from referrals.models.intake_keys import issue_key

PERSON = {
    "email": "Zaphod.Beeblebrox@Heart-of-Gold.example",
    "first_name": "Zaphod",
    "last_name": "Beeblebrox",
    "mobile": "+498912345678",
    "birth_date": "1984-02-29",
    "country": "US",
}
"""A customer; all but the country is personal."""

PERSONAL = (
    "zaphod",
    "beeblebrox",
    "heart-of-gold",
    "12345678",
    "1984",
    hashlib.md5(PERSON["email"].lower().encode()).hexdigest(),
)
"""What of the customer must not be found in the lower-case text of a page, hashes included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The rows of one account, the latest of each kind."""

    account: Account
    campaign: Campaign
    unlinked: Campaign
    connection: Connection
    test: ConnectionTest
    link: Link
    key: IntakeKey
    referral: Referral
    delivery: Delivery
    attempt: DeliveryAttempt


def make_world(mark: str, said: str = "") -> World:
    """An account whose texts all begin with the mark; `said` is what strangers wrote."""
    said = said or f"{mark} said"
    account = Account.objects.create(name=f"{mark} account", slug=mark.lower())
    CustomAttribute.objects.create(account=account, key="hobby", label=f"{mark} hobby")
    campaign = _campaign(account, f"{mark} campaign")
    connection = _connection(account, mark, said)
    referral = Referral.objects.create(
        campaign=campaign, external_id=said[:200], accepted_at=timezone.now(),
        attributes={**PERSON, "hobby": said},
    )  # fmt: skip
    delivery = Delivery.objects.create(
        referral=referral, campaign=campaign, connection=connection, created_at=timezone.now(),
        status="unrecognised", outcome="unrecognised", attempt_number=2,
        finished_at=timezone.now(),
    )  # fmt: skip
    key = IntakeKey(account=account, name=f"{mark} key")
    issue_key(key)
    return World(
        account=account,
        campaign=campaign,
        unlinked=_campaign(account, f"{mark} other campaign"),
        connection=connection,
        test=_test(connection, said),
        link=Link.objects.create(
            campaign=campaign, connection=connection, linked_at=timezone.now()
        ),
        key=key,
        referral=referral,
        delivery=delivery,
        attempt=_attempts(delivery, said),
    )


def _campaign(account: Account, name: str) -> Campaign:
    return Campaign.objects.create(
        account=account, name=name, kind=CampaignKind.LEAD_GENERATION.value
    )


def _connection(account: Account, mark: str, said: str) -> Connection:
    connection = Connection.objects.create(
        account=account, name=f"{mark} connection", document='{"email": "{{ email }}"}',
        required_attributes=["email"], state="held", state_reason=said[:500],
    )  # fmt: skip
    Endpoint.objects.create(connection=connection, url="https://crm.example/leads")
    TechnicalContact.objects.create(
        connection=connection, name=f"{mark} contact", email=f"{mark.lower()}@crm.example"
    )
    ResponseRule.objects.create(connection=connection, status="201", outcome="delivered")
    ExpectedResponse.objects.create(
        connection=connection, name=f"{mark} answer", status=201, body=said, outcome="delivered"
    )
    BreakerState.objects.create(connection=connection)
    return connection


def _test(connection: Connection, said: str) -> ConnectionTest:
    return ConnectionTest.objects.create(
        connection=connection, environment="production", started_at=timezone.now(),
        attributes=PERSON, **_exchange(said),
    )  # fmt: skip


def _attempts(delivery: Delivery, said: str) -> DeliveryAttempt:
    """One from before the connection was what it is, and one of today."""
    Connection.objects.update(changed_at=timezone.now() - timedelta(hours=1))
    delivery.connection.refresh_from_db()
    for number, ago in ((1, timedelta(hours=2)), (2, timedelta())):
        attempt = DeliveryAttempt.objects.create(
            delivery=delivery, number=number, trigger="first", started_at=timezone.now() - ago,
            **_exchange(said),
        )  # fmt: skip
    return attempt


def _exchange(said: str) -> dict[str, object]:
    """A request with the customer in every part, and an answer that repeats it all."""
    email = PERSON["email"]
    address = email.replace("@", "%40")
    return {
        "duration_ms": 52,
        "outcome": "unrecognised",
        "rule": "",
        "reason": f"{said} {email}",
        "reference": f"{said[:100]} {email.lower()}",
        "request_method": "POST",
        "request_url": f"https://crm.example/leads?mail={address}",
        "request_headers": f'[["X-Person", "{PERSON["last_name"]}"]]',
        "request_body": f'{{"email": "{email}"}}'.encode(),
        "response_status": 302,
        "response_headers": f'[["X-Name", "{PERSON["first_name"].upper()}"]]',
        "response_body": f"{said} {email.upper()} +49 (89) 12345678 29/02/1984".encode(),
        "error_code": "too_large",
        "error_message": f"{said} {email}",
    }
