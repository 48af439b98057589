"""`manage.py cancel`: cancels pending deliveries."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connections.operations.history import Actor
from referrals.management.commands._selection import add_selection, select_deliveries
from referrals.operations.cancel import cancel


class Command(BaseCommand):
    """Cancels pending deliveries, except those in flight; they can still be replayed."""

    help = "Cancels the chosen deliveries that still wait."

    def add_arguments(self, parser: CommandParser) -> None:
        add_selection(parser)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        deliveries = select_deliveries(options)
        if options["dry_run"]:
            count = deliveries.pending().filter(claimed_at=None).count()
            self.stdout.write(f"{count} deliveries would be cancelled.")
        else:
            count = cancel(deliveries, by=Actor.of_command())
            self.stdout.write(f"{count} deliveries cancelled.")
