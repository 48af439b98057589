"""Enqueue the jobs of this app."""

from __future__ import annotations

from django.conf import settings

from config.queue.job_queue import enqueue_or_run, enqueue_unless_enough_wait

_NOTIFY_TIMEOUT_SECONDS = 60


def wake_workers() -> None:
    """Enqueue a job that delivers what is due, unless enough jobs wait already.

    Without Redis nothing is enqueued: deliveries wait until the tick calls this again.
    """
    enqueue_unless_enough_wait(
        "referrals.jobs.deliver_due", timeout_seconds=settings.DELIVERY_JOB_TIMEOUT
    )


def notify(connection_id: int, event: str, reason: str) -> None:
    """Enqueue a mail about an event of a connection; without Redis, send it in this process."""
    enqueue_or_run(
        "referrals.jobs.notify",
        connection_id,
        event,
        reason,
        timeout_seconds=_NOTIFY_TIMEOUT_SECONDS,
    )
