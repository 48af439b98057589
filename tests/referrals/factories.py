"""Owns how these tests hand referrals in and deliver them, and must not know what any shows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import connection as database
from django.test import Client as Browser

from connections.models import Campaign, Connection
from connections.models.exchanges import dump_headers
from connections.transport import Client
from referrals.delivery.pump import deliver_due, finish_in_flight
from referrals.intake import Accepted, Item, accept_referrals
from referrals.leases import Claim, ClaimResult, claim
from referrals.models import Delivery, DeliveryAttempt, Referral
from referrals.statuses import DeliveryStatus, Trigger

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=90)
_MAX_SECONDS = 30

ResultT = TypeVar("ResultT")


class Door:
    """The API as a caller with a key sees it."""

    def __init__(self, client: Browser, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}

    def post(self, content: object, campaign: str = "cmp_news") -> tuple[int, Any]:
        body = content if isinstance(content, str) else json.dumps(content)
        response = self._client.post(
            f"/api/v1/campaigns/{campaign}/referrals",
            body,
            content_type="application/json",
            headers=self._headers,
        )
        return response.status_code, response.json()

    def get(self, referral: object) -> tuple[int, Any]:
        response = self._client.get(f"/api/v1/referrals/{referral}", headers=self._headers)
        return response.status_code, response.json()


def item(external_id: str, **attributes: Any) -> Item:
    return Item(external_id=external_id, attributes=attributes)


def create_referrals(campaign: Campaign, *emails: str, **attributes: Any) -> list[Accepted]:
    """One referral for each address, which is its external id as well."""
    items = [item(email, email=email, **attributes) for email in emails]
    return accept_referrals(campaign, items)


def waiting(
    campaign: Campaign, connection: Connection, *names: str, due: datetime = NOW, **columns: Any
) -> list[Delivery]:
    """Deliveries that wait, the first of them since `due`, each later by a second."""
    referrals = Referral.objects.bulk_create(
        Referral(campaign=campaign, external_id=name, attributes={"email": name}, accepted_at=NOW)
        for name in names
    )
    return Delivery.objects.bulk_create(
        Delivery(
            referral=referral,
            connection=connection,
            campaign=campaign,
            created_at=NOW,
            due_at=due + timedelta(seconds=index),
            **columns,
        )
        for index, referral in enumerate(referrals)
    )


def take(limit: int = 32, *, after: timedelta = SECOND * 60) -> list[Claim]:
    claims = claim(limit=limit, now=NOW + after, lease=LEASE)
    return sorted(claims, key=lambda taken: taken.delivery_id)


def ids(claims: list[Claim]) -> list[int]:
    return [taken.delivery_id for taken in claims]


def attempt_columns(**columns: Any) -> dict[str, Any]:
    return {
        "trigger": "first",
        "started_at": NOW,
        "duration_ms": 12,
        "outcome": "delivered",
        "rule": "status 200 → delivered",
        "reason": "",
        "reference": "abc",
        "request_method": "POST",
        "request_url": "https://crm.example/people",
        "request_headers": dump_headers((("Accept", "*/*"), ("X-Name", "Grüße"))),
        "request_body": b'{"a": 1}',
        "response_status": 200,
        "response_headers": "",
        "response_body": None,
        "error_code": "",
        "error_message": "",
        **columns,
    }


def result(taken: Claim, **fields: Any) -> ClaimResult:
    settled: dict[str, Any] = {
        "delivery_id": taken.delivery_id,
        "number": taken.number,
        "status": DeliveryStatus.DELIVERED,
        "outcome": "delivered",
        "attempts_used": taken.attempts_used + 1,
        "due_at": None,
        "finished_at": NOW,
        "next_trigger": Trigger.RETRY,
        "attempt": attempt_columns(),
    }
    return ClaimResult(**{**settled, **fields})


def deliver(client: Client | None = None, **options: Any) -> dict[str, int]:
    """Deliver what is due and wait for the last of it: attempts by outcome."""
    summary = deliver_due(client=client, **options)
    finish_in_flight()
    return dict(summary.outcomes)


def deliver_all() -> None:
    """Deliver until nothing waits any more, as often as the schedule wants."""
    end = time.monotonic() + _MAX_SECONDS
    while Delivery.objects.pending().exists():
        assert time.monotonic() < end, list(Delivery.objects.pending().values())
        deliver()


def until(is_true: Callable[[], bool]) -> None:
    """Wait for what another thread or process does."""
    end = time.monotonic() + _MAX_SECONDS
    while not is_true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def log(external_id: str = "") -> list[tuple[int, str, int | None]]:
    """The attempts so far: number, outcome and status of the answer."""
    attempts = DeliveryAttempt.objects.order_by("delivery", "number")
    if external_id:
        attempts = attempts.filter(delivery__referral__external_id=external_id)
    return list(attempts.values_list("number", "outcome", "response_status"))


def in_threads(*pieces: Callable[[], ResultT]) -> list[ResultT]:
    """The results of pieces of work that are done at once, each with a connection of its own."""

    def run(piece: Callable[[], ResultT]) -> ResultT:
        try:
            return piece()
        finally:
            database.close()

    with ThreadPoolExecutor(len(pieces)) as threads:
        return list(threads.map(run, pieces))


def numbers(deliveries: Sequence[Delivery]) -> list[int]:
    return [delivery.pk for delivery in deliveries]
