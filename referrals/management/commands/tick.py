"""`manage.py tick`: rings the doorbell every two seconds, so that nothing due waits longer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from referrals import heartbeats, stopping
from referrals.queue import ring


class Command(BaseCommand):
    """Makes up for every lost job: a retry that falls due, a flushed Redis, a killed worker."""

    help = "Rings the doorbell every TICK_SECONDS until SIGINT or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        stopping.on_signals()
        while not stopping.requested():
            heartbeats.beat(heartbeats.TICK)
            ring()
            stopping.wait(settings.TICK_SECONDS)
