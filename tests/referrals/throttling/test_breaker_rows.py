"""Tests of storing and reading a breaker."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.models import Connection
from referrals.models import BreakerState
from referrals.throttling.breaker import Breaker, WindowBucket
from referrals.throttling.breaker_rows import BREAKER_COLUMNS, from_domain, to_domain
from tests.referrals.factories import NOW

FULL = Breaker(
    consecutive_failures=1,
    consecutive_unauthorized=2,
    window=(
        WindowBucket(start=NOW, exchanges=9, unavailable=4),
        WindowBucket(start=NOW + timedelta(minutes=1), exchanges=1),
    ),
    open_until=NOW,
    cooldown=timedelta(seconds=90),
    consecutive_successes=2,
    closed_at=NOW - timedelta(days=1),
)


@pytest.mark.parametrize("breaker", [Breaker(), FULL])
def test_a_stored_breaker_is_read_back(connection: Connection, breaker: Breaker) -> None:
    BreakerState.objects.create(connection=connection, **from_domain(breaker))

    assert to_domain(BreakerState.objects.get()) == breaker


def test_a_breaker_is_all_of_its_row_but_for_tokens_and_notifications() -> None:
    columns = {field.name for field in BreakerState._meta.fields}
    others = {"connection", "tokens", "tokens_updated_at", "notified_at"}

    assert set(BREAKER_COLUMNS) == columns - others
