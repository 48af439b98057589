"""`manage.py tick`: wakes the workers every two seconds."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import shutdown
from config.queue import heartbeats
from referrals.enqueue import wake_workers


class Command(BaseCommand):
    """Enqueues the jobs that nothing else does: for retries that fall due, and after a job was lost
    because Redis was flushed or a worker was killed."""

    help = "Wakes the workers every TICK_SECONDS until SIGINT or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        shutdown.handle_signals()
        while not shutdown.requested():
            heartbeats.record_heartbeat(heartbeats.TICK)
            wake_workers()
            shutdown.wait(settings.TICK_SECONDS)
