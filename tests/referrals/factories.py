"""Factories of referrals, deliveries, claims and results, and what tests read of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import connection as database
from django.test import Client as Browser
from django.utils import timezone

from connections.models import Campaign, Connection
from connections.models.exchanges import dump_headers
from connections.transport import Client
from referrals.delivery.pump import deliver_due, finish_in_flight
from referrals.intake import Accepted, Item, accept_referrals
from referrals.leases import Claim, ClaimResult, claim
from referrals.models import Delivery, DeliveryAttempt, Referral
from referrals.statuses import DeliveryStatus, Trigger
from tests.timing import WAIT_SECONDS

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=90)

ResultT = TypeVar("ResultT")


class IntakeClient:
    """Calls the API with an intake key."""

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
    """Accept one referral for each email address, which is its external id as well."""
    items = [item(email, email=email, **attributes) for email in emails]
    return accept_referrals(campaign, items)


def create_pending(
    campaign: Campaign, connection: Connection, *names: str, due: datetime = NOW, **columns: Any
) -> list[Delivery]:
    """Create pending deliveries, the first of them due at `due`, each later one a second later."""
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


def claim_due(limit: int = 32, *, after: timedelta = SECOND * 60) -> list[Claim]:
    claims = claim(limit=limit, now=NOW + after, lease=LEASE)
    return sorted(claims, key=lambda one: one.delivery_id)


def claimed_ids(claims: list[Claim]) -> list[int]:
    return [one.delivery_id for one in claims]


def get_delivery(external_id: str) -> Delivery:
    return Delivery.objects.get(referral__external_id=external_id)


def delivery_statuses() -> dict[str, str]:
    """Return the status of every delivery by its referral's external id."""
    rows = Delivery.objects.values_list("referral__external_id", "status")
    return {name: str(status) for name, status in rows}


def claim_only(external_id: str) -> None:
    """Claim this delivery, as a worker would; all others become due later."""
    now = timezone.now()
    others = Delivery.objects.exclude(referral__external_id=external_id)
    others.filter(due_at__lte=now).update(due_at=now + SECOND * 60)
    [claimed] = claim(limit=32, now=now, lease=LEASE)
    assert claimed.delivery_id == get_delivery(external_id).pk


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


def build_result(claimed: Claim, **fields: Any) -> ClaimResult:
    delivered: dict[str, Any] = {
        "delivery_id": claimed.delivery_id,
        "number": claimed.number,
        "status": DeliveryStatus.DELIVERED,
        "outcome": "delivered",
        "attempts_used": claimed.attempts_used + 1,
        "due_at": None,
        "finished_at": NOW,
        "next_trigger": Trigger.RETRY,
        "attempt": attempt_columns(),
    }
    return ClaimResult(**{**delivered, **fields})


def deliver(client: Client | None = None, **options: Any) -> dict[str, int]:
    """Deliver what is due, wait until all of it is recorded, and count the attempts by outcome."""
    summary = deliver_due(client=client, **options)
    finish_in_flight()
    return dict(summary.outcomes)


def deliver_all() -> None:
    """Deliver until no delivery waits, with all the attempts of the schedule."""
    end = time.monotonic() + WAIT_SECONDS
    while Delivery.objects.pending().exists():
        assert time.monotonic() < end, list(Delivery.objects.pending().values())
        deliver()


def logged_attempts(external_id: str = "") -> list[tuple[int, str, int | None]]:
    """Return number, outcome and response status of the attempts so far."""
    attempts = DeliveryAttempt.objects.order_by("delivery", "number")
    if external_id:
        attempts = attempts.filter(delivery__referral__external_id=external_id)
    return list(attempts.values_list("number", "outcome", "response_status"))


def run_in_threads(*tasks: Callable[[], ResultT]) -> list[ResultT]:
    """Run the tasks concurrently, each with a database connection of its own."""

    def run(task: Callable[[], ResultT]) -> ResultT:
        try:
            return task()
        finally:
            database.close()

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))


def pks(deliveries: Sequence[Delivery]) -> list[int]:
    return [delivery.pk for delivery in deliveries]
