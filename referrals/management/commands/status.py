"""`manage.py status`: what waits, what keeps it, and who is alive."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from referrals.monitoring.status import Status, read_status

_UNHEALTHY = 1


class Command(BaseCommand):
    """Prints the status for people, or as JSON for monitoring."""

    help = "Says what waits, what keeps it and who is alive. Exits 1 if something must be mended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print a JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        status = read_status()
        if options["json"]:
            self.stdout.write(json.dumps(status.to_json()))
        else:
            self._print(status)
        if not status.is_healthy:
            sys.exit(_UNHEALTHY)

    def _print(self, status: Status) -> None:
        oldest = status.oldest_due_seconds
        rows = (
            ("jobs waiting", "?" if status.jobs_waiting is None else status.jobs_waiting),
            ("deliveries waiting", status.deliveries_waiting),
            ("  due now", status.due),
            ("  oldest due", "–" if oldest is None else f"{oldest:.1f} s"),
            ("  in flight", status.in_flight),
            ("connections paused", status.paused),
            ("connections held", status.held),
            ("breakers open", status.open_breakers),
            ("worker last heard of", status.worker_heartbeat_at or "never"),
            ("tick last heard of", status.tick_heartbeat_at or "never"),
        )
        for name, value in rows:
            self.stdout.write(f"{name:22}{value}")
        for problem in status.problems:
            self.stdout.write(self.style.ERROR(problem))
        if status.is_healthy:
            self.stdout.write(self.style.SUCCESS("healthy"))
