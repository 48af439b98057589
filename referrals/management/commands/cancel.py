"""`manage.py cancel`: deliveries that wait are never sent."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from referrals.management.commands._selection import add_selection, selected
from referrals.operations.cancel import cancel


class Command(BaseCommand):
    """What a worker has in hand is left alone; a cancelled delivery can still be replayed."""

    help = "Cancels the chosen deliveries that still wait."

    def add_arguments(self, parser: CommandParser) -> None:
        add_selection(parser)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        deliveries = selected(options)
        if options["dry_run"]:
            count = deliveries.pending().filter(claimed_at=None).count()
            self.stdout.write(f"{count} deliveries would be cancelled.")
        else:
            self.stdout.write(f"{cancel(deliveries)} deliveries cancelled.")
