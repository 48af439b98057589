"""`manage.py reread`: applies the current response rules to stored responses."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connections.operations.history import Actor
from referrals.management.commands._selection import add_selection, select_deliveries
from referrals.operations.reread import REREADABLE, reread


class Command(BaseCommand):
    """Corrects outcomes of responses that no rule, or a wrong one, matched when they arrived."""

    help = "Reads the chosen deliveries' stored answers by today's rules, without sending."

    def add_arguments(self, parser: CommandParser) -> None:
        add_selection(parser)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        deliveries = select_deliveries(options)
        if options["dry_run"]:
            count = deliveries.filter(status__in=REREADABLE).count()
            self.stdout.write(f"{count} answers would be read again.")
            return
        changed = reread(deliveries, by=Actor.of_command())
        for outcome, count in changed.most_common():
            self.stdout.write(f"{count:8} are now {outcome}")
        self.stdout.write(f"{changed.total():8} changed in all")
