"""Deliveries by the million, as an installation looks after a quarter; knows no page.

Few connections have most of them, some campaigns ended long ago, rare things are rare. Import it
once Django is set up.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.utils import timezone

from connections.models import Account, Campaign, Connection
from referrals.models import Delivery, DeliveryAttempt, Referral

DAYS = 90
CONNECTIONS, CAMPAIGNS, ACCOUNTS = 50, 250, 25
_BATCH = 5_000
_PERSON = {"first_name": "Jo", "country": "US"}
_HEADERS = '[["Content-Type", "application/json"]]'

_STATUSES = {
    "delivered": 0.88, "duplicate": 0.06, "rejected": 0.03, "unavailable": 0.012,
    "suppressed": 0.006, "unrecognised": 0.004, "unknown": 0.004, "invalid": 0.002,
    "cancelled": 0.002,
}  # fmt: skip
_CODES = {
    "delivered": 200, "duplicate": 409, "rejected": 422, "suppressed": 403, "unrecognised": 302,
}  # fmt: skip
_ERRORS = {"unknown": "read_timeout", "unavailable": "connect_refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What all rows share; the same chances give the same rows each time."""

    size: int
    now: datetime
    campaigns: Sequence[Campaign]
    connections: Sequence[Connection]
    chance: random.Random


def make_rows(size: int) -> None:
    """So many deliveries over the last quarter, each of its own referral, nearly all attempted."""
    scene = _make_scene(size)
    for start in range(0, size, _BATCH):
        _make_some(range(start, min(start + _BATCH, size)), scene)
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if database.vendor == "postgresql" else "ANALYZE")


def _make_scene(size: int) -> _Scene:
    accounts = Account.objects.bulk_create(
        Account(name=f"Account {number}", slug=f"account-{number}") for number in range(ACCOUNTS)
    )
    campaigns = Campaign.objects.bulk_create(
        Campaign(
            account=accounts[number % ACCOUNTS], name=f"Campaign {number}", key=f"c{number}",
            kind="lead_generation",
        )
        for number in range(CAMPAIGNS)
    )  # fmt: skip
    connections = Connection.objects.bulk_create(
        Connection(account=accounts[number % ACCOUNTS], name=f"CRM {number}")
        for number in range(CONNECTIONS)
    )
    return _Scene(
        size=size, now=timezone.now(), campaigns=campaigns, connections=connections,
        chance=random.Random(7),  # noqa: S311 - no secret.
    )  # fmt: skip


def _make_some(numbers: range, scene: _Scene) -> None:
    deliveries = [_delivery(number, scene) for number in numbers]
    Referral.objects.bulk_create(row.referral for row in deliveries)
    Delivery.objects.bulk_create(deliveries)
    sent = [row for row in deliveries if row.outcome not in ("", "invalid")]
    DeliveryAttempt.objects.bulk_create(_attempt(row, scene) for row in sent)


def _delivery(number: int, scene: _Scene) -> Delivery:
    at = scene.now - timedelta(days=DAYS) * ((scene.size - number) / scene.size)
    is_old = number < scene.size / 10 and scene.chance.random() < 0.3
    place = CAMPAIGNS - 1 if is_old else int((CAMPAIGNS - 1) * scene.chance.random() ** 3)
    status = scene.chance.choices(list(_STATUSES), list(_STATUSES.values()))[0]
    is_pending = scene.now - at < timedelta(hours=6) and scene.chance.random() < 0.2
    outcome = "unavailable" if is_pending else status.replace("cancelled", "")
    campaign = scene.campaigns[place]
    referral = Referral(
        campaign=campaign, external_id=f"lead-{number}", accepted_at=at,
        attributes={"email": f"person{number}@example.com", **_PERSON},
    )  # fmt: skip
    return Delivery(
        id=number + 1, referral=referral, campaign=campaign,
        connection=scene.connections[place % CONNECTIONS], created_at=at,
        status="pending" if is_pending else status, outcome=outcome,
        due_at=scene.now + timedelta(minutes=10) if is_pending else None,
        settled_at=None if is_pending else at + timedelta(seconds=1), attempt_number=1, step=1,
    )  # fmt: skip


def _attempt(delivery: Delivery, scene: _Scene) -> DeliveryAttempt:
    number = delivery.pk - 1
    is_busy = delivery.outcome == "unavailable" and number % 2 == 1
    return DeliveryAttempt(
        delivery=delivery, number=1, cause="first", outcome=delivery.outcome,
        started_at=delivery.created_at + timedelta(milliseconds=20),
        duration_ms=50 + int(1000 * scene.chance.random() ** 6), reference=f"crm-{number}",
        request_method="POST", request_url="https://crm.example/3.0/lists/production/members",
        request_headers=_HEADERS, request_body=b'{"padding": "%b"}' % (b"x" * 200),
        response_status=503 if is_busy else _CODES.get(delivery.outcome),
        response_headers=_HEADERS,
        response_body=b'{"id": "%d", "padding": "%b"}' % (number, b"y" * 200),
        error_code="" if is_busy else _ERRORS.get(delivery.outcome, ""),
    )  # fmt: skip
