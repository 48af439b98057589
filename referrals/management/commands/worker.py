"""`manage.py worker`: runs delivery jobs until told to stop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from referrals import stopping
from referrals.memory import share_heaps
from referrals.pump import finish_under_way
from referrals.queue import work


class Command(BaseCommand):
    """The worker that installations start as often as they have use for."""

    help = "Runs delivery jobs until SIGINT or SIGTERM; waits for Redis where it is not there yet."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        share_heaps()
        stopping.on_signals()
        work()
        finish_under_way()
