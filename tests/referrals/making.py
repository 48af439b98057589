"""Owns how the tests of referrals hand them in and deliver them; must not know what a test shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import connection as database

from connections.client import Client
from connections.models import Campaign, Connection
from referrals.intake import Accepted, Item, accept_referrals
from referrals.models import Delivery, DeliveryAttempt, Referral
from referrals.pump import deliver_due, finish_under_way

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
_LONGEST_SECONDS = 20

ResultT = TypeVar("ResultT")


def item(external_id: str, **attributes: Any) -> Item:
    return Item(external_id=external_id, attributes=attributes)


def hand_in(campaign: Campaign, *emails: str, **attributes: Any) -> list[Accepted]:
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
            created_at=NOW,
            due_at=due + timedelta(seconds=index),
            **columns,
        )
        for index, referral in enumerate(referrals)
    )


def deliver(client: Client | None = None, **options: Any) -> dict[str, int]:
    """Deliver what is due and wait for the last of it: attempts by outcome."""
    summary = deliver_due(client=client, **options)
    finish_under_way()
    return dict(summary.outcomes)


def deliver_all() -> None:
    """Deliver until nothing waits any more, as often as the schedule wants."""
    end = time.monotonic() + _LONGEST_SECONDS
    while Delivery.objects.pending().exists():
        assert time.monotonic() < end, list(Delivery.objects.pending().values())
        deliver()


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
