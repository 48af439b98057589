"""`manage.py reread`: today's rules for stored answers, without sending."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from referrals.management.commands._selection import add_selection, selected
from referrals.operations.reread import REREADABLE, reread


class Command(BaseCommand):
    """For answers that no rule covered when they came, or a rule misread."""

    help = "Reads the chosen deliveries' stored answers by today's rules, without sending."

    def add_arguments(self, parser: CommandParser) -> None:
        add_selection(parser)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        deliveries = selected(options)
        if options["dry_run"]:
            count = deliveries.filter(status__in=REREADABLE).count()
            self.stdout.write(f"{count} answers would be read again.")
            return
        changed = reread(deliveries)
        for outcome, count in changed.most_common():
            self.stdout.write(f"{count:8} are now {outcome}")
        self.stdout.write(f"{changed.total():8} changed in all")
