"""Valkey is killed while referrals are posted; they are delivered after it is restarted."""

from __future__ import annotations

import time
from pathlib import Path

from redis import Redis

from tests.stack import Stack
from tests.timing import scaled


def create_referrals(stack: Stack, name: str) -> list[str]:
    """Post twenty referrals, one by one; return their e-mail addresses."""
    emails = [f"{name}{number}@example.com" for number in range(20)]
    for email in emails:
        status, response = stack.post({"external_id": email, "attributes": {"email": email}})
        assert (status, response["referrals"][0]["is_new"]) == (202, True)
    return emails


def worker_states(stack: Stack) -> list[str]:
    """Return the state of each worker that is registered in Redis."""
    with Redis.from_url(stack.valkey.url, decode_responses=True) as redis:
        return [str(redis.hget(key, "state")) for key in redis.smembers("rq:workers")]


def test_an_outage_of_valkey_loses_no_referral(tmp_path: Path) -> None:
    with Stack(tmp_path, LOG_LEVEL="ERROR") as stack:
        stack.start_web()
        worker, tick = stack.start("worker"), stack.start("tick")
        before = create_referrals(stack, "before")
        stack.wait_until(lambda: stack.crm.people() == len(before))

        stack.wait_until(lambda: worker_states(stack) == ["idle"])

        stack.valkey.kill()
        during = create_referrals(stack, "during")
        count_pending = "SELECT count(*) FROM referrals_delivery WHERE status = 'pending'"
        [(count,)] = stack.query(count_pending)
        assert count > 0

        stack.valkey.start()
        began_at = time.monotonic()
        stack.wait_until(lambda: stack.query(count_pending) == [(0,)])
        assert time.monotonic() - began_at < scaled(15)
        after = create_referrals(stack, "after")
        emails = [*before, *during, *after]
        stack.wait_until(lambda: stack.crm.people() == len(emails))

        assert stack.crm.duplicates() == {}
        assert (worker.poll(), tick.poll()) == (None, None)
