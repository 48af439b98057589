"""`manage.py tick`: rings the doorbell every two seconds, so that nothing due waits longer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import shutdown
from config.queue import heartbeats
from config.queue.job_queue import wake_workers


class Command(BaseCommand):
    """Makes up for every lost job: a retry that falls due, a flushed Redis, a killed worker."""

    help = "Rings the doorbell every TICK_SECONDS until SIGINT or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        shutdown.on_signals()
        while not shutdown.requested():
            heartbeats.record_heartbeat(heartbeats.TICK)
            wake_workers()
            shutdown.wait(settings.TICK_SECONDS)
