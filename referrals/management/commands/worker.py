"""`manage.py worker`: runs delivery jobs until told to stop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config import shutdown
from config.queue.job_queue import work
from referrals.delivery.malloc import share_heaps
from referrals.delivery.pump import finish_in_flight


class Command(BaseCommand):
    """The worker that installations start as often as they have use for."""

    help = "Runs delivery jobs until SIGINT or SIGTERM; waits for Redis where it is not there yet."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        share_heaps()
        shutdown.on_signals()
        work()
        finish_in_flight()
