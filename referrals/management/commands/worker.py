"""`manage.py worker`: runs delivery jobs until a signal stops it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config import shutdown
from config.queue.worker import work
from referrals.delivery.malloc import limit_arenas
from referrals.delivery.pump import finish_in_flight


class Command(BaseCommand):
    """Runs one worker process; start as many as the installation needs."""

    help = "Runs delivery jobs until SIGINT or SIGTERM; waits for Redis where it is not there yet."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        limit_arenas()
        shutdown.handle_signals()
        work()
        finish_in_flight()
