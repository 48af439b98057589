"""`manage.py replay`: makes another attempt for the selected deliveries."""

from __future__ import annotations

import math
import sys
from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config import shutdown
from connections.core.response.outcomes import Outcome
from connections.management.lookups import WRONG_ARGUMENT_EXIT_CODE, find_campaign, find_connection
from connections.models import Connection
from connections.operations.history import Actor
from referrals.delivery.pump import deliver_due, finish_in_flight
from referrals.management.commands._selection import add_selection, select_deliveries
from referrals.models import Delivery, DeliveryAttempt
from referrals.operations.backfill import backfill, never_sent
from referrals.operations.replay import replay
from referrals.statuses import Trigger

_EXIT_FAILED = 1
_POLL_SECONDS = 0.5


class Command(BaseCommand):
    """Safe to interrupt and to start again: workers attempt what was already put back."""

    help = (
        "Asks for another attempt of the chosen deliveries, helps the workers to make them, and "
        "sums up the outcomes. Exits 1 unless all were attempted and each was a success."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_selection(parser)
        parser.add_argument("--rate", type=float, help="So many a second; all at once without it.")
        parser.add_argument(
            "--backfill",
            action="store_true",
            help="Instead: deliver past referrals of --campaign that never went to --connection.",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        rate = options["rate"]
        if rate is not None and not 0 < rate < math.inf:
            raise CommandError(
                "--rate must be greater than 0.", returncode=WRONG_ARGUMENT_EXIT_CODE
            )
        shutdown.handle_signals()
        if options["backfill"]:
            self._backfill(options)
        else:
            self._replay(options)

    def _replay(self, options: dict[str, Any]) -> None:
        deliveries = select_deliveries(options).filter(claimed_at=None)
        if options["dry_run"]:
            self.stdout.write(f"{deliveries.count()} deliveries would be attempted again.")
            return
        started_at = timezone.now()
        count = replay(deliveries, by=Actor.of_command(), rate=options["rate"])
        self._follow(count, started_at)

    def _backfill(self, options: dict[str, Any]) -> None:
        if not (options["campaign"] and options["connection"] and options["since"]):
            message = "--backfill needs --campaign, --connection and --since."
            raise CommandError(message, returncode=WRONG_ARGUMENT_EXIT_CODE)
        campaign = find_campaign(options["campaign"])
        connection = find_connection(options["connection"])
        if options["dry_run"]:
            count = never_sent(campaign, connection, since=options["since"]).count()
            self.stdout.write(f"{count} past referrals would be delivered.")
            return
        started_at = timezone.now()
        count = backfill(campaign, connection, since=options["since"], by=Actor.of_command())
        self._follow(count, started_at)

    def _follow(self, count: int, started_at: datetime) -> None:
        """Deliver along with the workers until `count` attempts were made; print the outcomes."""
        outcomes = self._deliver_with_progress(count, started_at)
        for outcome, number in outcomes.most_common():
            self.stdout.write(f"{number:8} {outcome}")
        self.stdout.write(f"{outcomes.total():8} attempts in all")
        missing = max(0, count - outcomes.total())
        if shutdown.requested():
            self.stdout.write("Interrupted. What was put back is attempted by the workers.")
        elif missing:
            self.stdout.write(f"{missing:8} not attempted: their connections are paused or held")
        if missing or any(not Outcome(outcome).is_success for outcome in outcomes):
            sys.exit(_EXIT_FAILED)

    def _deliver_with_progress(self, count: int, started_at: datetime) -> Counter[str]:
        columns = (
            TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        outcomes: Counter[str] = Counter()
        with Progress(*columns, transient=True, console=Console(stderr=True)) as progress:
            bar = progress.add_task("", total=count)
            while outcomes.total() < count and _has_pending_replays() and not shutdown.requested():
                deliver_due()
                finish_in_flight()
                outcomes = _count_outcomes_since(started_at)
                progress.update(bar, completed=outcomes.total())
                if outcomes.total() < count:
                    shutdown.wait(_POLL_SECONDS)
        return _count_outcomes_since(started_at)


def _has_pending_replays() -> bool:
    """Whether a replayed delivery of an active connection is pending or in flight."""
    replays = Delivery.objects.pending().filter(next_trigger=Trigger.REPLAY)
    return replays.filter(connection__state=Connection.State.ACTIVE).exists()


def _count_outcomes_since(time: datetime) -> Counter[str]:
    rows = (
        DeliveryAttempt.objects.filter(trigger=Trigger.REPLAY, started_at__gte=time)
        .order_by()
        .values_list("outcome")
        .annotate(count=Count("pk"))
    )
    return Counter(dict(rows))
