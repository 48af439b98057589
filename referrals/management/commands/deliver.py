"""`manage.py deliver`: delivers in the foreground, without a worker or Redis."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config import shutdown
from referrals.delivery.pump import deliver_due, finish_in_flight


class Command(BaseCommand):
    """Runs the pump in this process; with --once, until nothing is due."""

    help = "Delivers what is due, in the foreground; stops with --once or on Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Stop when nothing is due any more."
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        shutdown.handle_signals()
        outcomes: Counter[str] = Counter()
        has_more = True
        while not shutdown.requested() and (has_more or not options["once"]):
            summary = deliver_due(on_progress=outcomes.update)
            finish_in_flight()
            has_more = summary.has_more
            if summary.total:
                self.stdout.write(_format_counts(summary.outcomes))
            if not has_more and not options["once"]:
                shutdown.wait(settings.TICK_SECONDS)
        self.stdout.write(f"In all: {_format_counts(outcomes) or 'nothing was due'}.")


def _format_counts(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
