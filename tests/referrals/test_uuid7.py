"""Tests of UUIDs of version 7."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from referrals.uuid7 import uuid7


def test_identifiers_sort_by_their_time_of_creation() -> None:
    before = datetime.now(UTC)
    ids = [uuid7() for _ in range(50)]

    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
    moments = [datetime.fromtimestamp((one.int >> 80) / 1000, UTC) for one in ids]
    assert moments == sorted(moments)
    assert before - timedelta(milliseconds=1) <= moments[0] <= moments[-1] <= datetime.now(UTC)
    assert len(set(ids)) == 50
