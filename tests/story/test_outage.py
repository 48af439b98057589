"""Valkey dies while referrals come in; they are accepted, and delivered once it is back."""

from __future__ import annotations

import time
from pathlib import Path

from redis import Redis

from tests.stack import Stack
from tests.timing import scaled


def create_referrals(stack: Stack, name: str) -> list[str]:
    """Twenty referrals, one after the other."""
    emails = [f"{name}{number}@example.com" for number in range(20)]
    for email in emails:
        status, answer = stack.post({"external_id": email, "attributes": {"email": email}})
        assert (status, answer["referrals"][0]["is_new"]) == (202, True)
    return emails


def worker_states(stack: Stack) -> list[str]:
    """Whether each worker has a job in hand, as it tells Redis."""
    with Redis.from_url(stack.valkey.url, decode_responses=True) as redis:
        return [str(redis.hget(key, "state")) for key in redis.smembers("rq:workers")]


def test_an_outage_of_valkey_costs_seconds_and_no_referral(tmp_path: Path) -> None:
    with Stack(tmp_path, LOG_LEVEL="ERROR") as stack:
        stack.start_web()
        worker, tick = stack.start("worker"), stack.start("tick")
        before = create_referrals(stack, "before")
        stack.until(lambda: stack.crm.people() == len(before))

        stack.until(lambda: worker_states(stack) == ["idle"])

        stack.valkey.kill()
        meanwhile = create_referrals(stack, "meanwhile")
        waiting = "SELECT count(*) FROM referrals_delivery WHERE status = 'pending'"
        [(count,)] = stack.query(waiting)
        assert count > 0

        stack.valkey.start()
        began_at = time.monotonic()
        stack.until(lambda: stack.query(waiting) == [(0,)])
        assert time.monotonic() - began_at < scaled(15)
        after = create_referrals(stack, "after")
        everybody = [*before, *meanwhile, *after]
        stack.until(lambda: stack.crm.people() == len(everybody))

        assert stack.crm.duplicates() == {}
        assert (worker.poll(), tick.poll()) == (None, None)
