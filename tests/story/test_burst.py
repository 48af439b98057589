"""Ten thousand referrals at once, and a worker that is killed while it delivers them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from tests.stack import Stack, kill

BATCH = 1_000
MAX_QUEUED_JOBS = 4
"""The default of the setting."""


def create_referrals(stack: Stack, emails: list[str]) -> None:
    for start in range(0, len(emails), BATCH):
        status, _ = stack.post(
            [
                {"external_id": email, "attributes": {"email": email, "first_name": "Jo"}}
                for email in emails[start : start + BATCH]
            ]
        )
        assert status == 202


def wait_for_all(stack: Stack, count: int) -> None:
    """Wait until so many deliveries are successes."""
    done = "SELECT count(*) FROM referrals_delivery WHERE status IN ('delivered', 'duplicate')"
    stack.wait_until(lambda: stack.query(done) == [(count,)], 120, every=0.2)


def count_workers(stack: Stack) -> int:
    """Count the workers that are registered in Redis."""
    with Redis.from_url(stack.valkey.url) as redis:
        return int(redis.scard("rq:workers"))


@contextmanager
def sampled_queue(stack: Stack) -> Iterator[list[int]]:
    """Sample the number of queued jobs inside the block; yield the list of samples."""
    lengths: list[int] = []
    is_over = threading.Event()

    def sample() -> None:
        with Redis.from_url(stack.valkey.url) as redis:
            while not is_over.wait(0.01):
                lengths.append(int(redis.llen("rq:queue:deliveries")))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield lengths
    finally:
        is_over.set()
        thread.join()


def test_ten_thousand_are_received_exactly_once_and_a_handful_of_jobs_is_queued(
    tmp_path: Path,
) -> None:
    emails = [f"jo{number}@example.com" for number in range(10_000)]
    with Stack(tmp_path) as stack:
        stack.start_web()
        for command in ("worker", "worker", "tick"):
            stack.start(command)
        with sampled_queue(stack) as lengths:
            create_referrals(stack, emails)
            wait_for_all(stack, 10_000)

        assert (stack.crm.people(), len(stack.crm.received())) == (10_000, 10_000)
        assert stack.crm.duplicates() == {}
        assert stack.query(
            "SELECT number, outcome, response_status, count(*), count(DISTINCT delivery_id)"
            " FROM referrals_deliveryattempt GROUP BY number, outcome, response_status"
        ) == [(1, "delivered", 200, 10_000, 10_000)]
    # Counting and enqueuing are two steps, and four processes do both at the same time.
    assert max(lengths) < MAX_QUEUED_JOBS + 4
    assert len(lengths) > 100


def test_a_killed_worker_loses_nothing_and_duplicates_are_in_the_log(
    tmp_path: Path,
) -> None:
    emails = [f"jo{number}@example.com" for number in range(3_000)]
    # The slow ones make sure that the worker is killed with deliveries in flight.
    emails[::10] = [f"slow.{number}@example.com" for number in range(300)]
    short_times = {
        "DELIVERY_TOTAL_TIMEOUT": "2",
        "DELIVERY_READ_TIMEOUT": "1.5",
        "DELIVERY_SLICE_SECONDS": "1",
        "DELIVERY_JOB_TIMEOUT": "4",
        "DELIVERY_LEASE_SECONDS": "6",
    }
    with Stack(tmp_path, **short_times) as stack:
        stack.start_web()
        victim, _ = stack.start("worker"), stack.start("tick")
        create_referrals(stack, emails)
        # The victim has thousands left to deliver when the second worker starts.
        stack.wait_until(lambda: stack.crm.people() > 500)
        stack.start("worker")
        stack.wait_until(lambda: count_workers(stack) == 2)
        kill(victim)
        assert stack.crm.people() < 3_000
        wait_for_all(stack, 3_000)

        assert stack.crm.people() == 3_000
        lost = stack.query(
            "SELECT r.external_id, a.number FROM referrals_deliveryattempt a"
            " JOIN referrals_delivery d ON d.id = a.delivery_id"
            " JOIN referrals_referral r ON r.id = d.referral_id"
            " WHERE a.outcome = 'unknown' AND a.error_code = 'lease_lost'"
        )
        assert lost
        assert set(stack.crm.duplicates()) <= {email for email, _ in lost}
        assert stack.query(
            "SELECT count(*), count(DISTINCT delivery_id) FROM referrals_deliveryattempt"
            " WHERE outcome IN ('delivered', 'duplicate')"
        ) == [(3_000, 3_000)]
        assert stack.query("SELECT count(*) FROM referrals_deliveryattempt") == [
            (3_000 + len(lost),)
        ]
