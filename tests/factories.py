"""A factory for an account with a row of every model, all of whose texts have a mark."""

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
"""The attributes of a customer; all but the country are personal data."""

PERSONAL_TEXTS = (
    "zaphod",
    "beeblebrox",
    "heart-of-gold",
    "12345678",
    "1984",
    hashlib.md5(PERSON["email"].lower().encode()).hexdigest(),
)
"""Parts of the personal data in lower case, and a hash of it, that no page may show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRows:
    """The latest row of every model in one account."""

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


def make_account_rows(mark: str, text: str = "") -> AccountRows:
    """Create an account whose texts begin with the mark; `text` is the untrusted input."""
    text = text or f"{mark} text"
    account = Account.objects.create(name=f"{mark} account", slug=mark.lower())
    CustomAttribute.objects.create(account=account, key="hobby", label=f"{mark} hobby")
    campaign = _create_campaign(account, f"{mark} campaign")
    connection = _create_connection(account, mark, text)
    referral = Referral.objects.create(
        campaign=campaign, external_id=text[:200], accepted_at=timezone.now(),
        attributes={**PERSON, "hobby": text},
    )  # fmt: skip
    delivery = Delivery.objects.create(
        referral=referral, campaign=campaign, connection=connection, created_at=timezone.now(),
        status="unrecognised", outcome="unrecognised", attempt_number=2,
        finished_at=timezone.now(),
    )  # fmt: skip
    key = IntakeKey(account=account, name=f"{mark} key")
    issue_key(key)
    return AccountRows(
        account=account,
        campaign=campaign,
        unlinked=_create_campaign(account, f"{mark} other campaign"),
        connection=connection,
        test=_create_test(connection, text),
        link=Link.objects.create(
            campaign=campaign, connection=connection, linked_at=timezone.now()
        ),
        key=key,
        referral=referral,
        delivery=delivery,
        attempt=_create_attempts(delivery, text),
    )


def _create_campaign(account: Account, name: str) -> Campaign:
    return Campaign.objects.create(
        account=account, name=name, kind=CampaignKind.LEAD_GENERATION.value
    )


def _create_connection(account: Account, mark: str, text: str) -> Connection:
    connection = Connection.objects.create(
        account=account, name=f"{mark} connection", document='{"email": "{{ email }}"}',
        required_attributes=["email"], state="held", state_reason=text[:500],
    )  # fmt: skip
    Endpoint.objects.create(connection=connection, url="https://crm.example/leads")
    TechnicalContact.objects.create(
        connection=connection, name=f"{mark} contact", email=f"{mark.lower()}@crm.example"
    )
    ResponseRule.objects.create(connection=connection, status="201", outcome="delivered")
    ExpectedResponse.objects.create(
        connection=connection, name=f"{mark} response", status=201, body=text, outcome="delivered"
    )
    BreakerState.objects.create(connection=connection)
    return connection


def _create_test(connection: Connection, text: str) -> ConnectionTest:
    return ConnectionTest.objects.create(
        connection=connection, environment="production", started_at=timezone.now(),
        attributes=PERSON, **_exchange_columns(text),
    )  # fmt: skip


def _create_attempts(delivery: Delivery, text: str) -> DeliveryAttempt:
    """Create an attempt before the last change of the connection and one now; return the latter."""
    Connection.objects.update(changed_at=timezone.now() - timedelta(hours=1))
    delivery.connection.refresh_from_db()
    for number, ago in ((1, timedelta(hours=2)), (2, timedelta())):
        attempt = DeliveryAttempt.objects.create(
            delivery=delivery, number=number, trigger="first", started_at=timezone.now() - ago,
            **_exchange_columns(text),
        )  # fmt: skip
    return attempt


def _exchange_columns(text: str) -> dict[str, object]:
    """Return the columns of an exchange with customer data in every part."""
    email = PERSON["email"]
    encoded_email = email.replace("@", "%40")
    return {
        "duration_ms": 52,
        "outcome": "unrecognised",
        "rule": "",
        "reason": f"{text} {email}",
        "reference": f"{text[:100]} {email.lower()}",
        "request_method": "POST",
        "request_url": f"https://crm.example/leads?mail={encoded_email}",
        "request_headers": f'[["X-Person", "{PERSON["last_name"]}"]]',
        "request_body": f'{{"email": "{email}"}}'.encode(),
        "response_status": 302,
        "response_headers": f'[["X-Name", "{PERSON["first_name"].upper()}"]]',
        "response_body": f"{text} {email.upper()} +49 (89) 12345678 29/02/1984".encode(),
        "error_code": "too_large",
        "error_message": f"{text} {email}",
    }
