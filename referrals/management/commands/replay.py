"""`manage.py replay`: another attempt for all deliveries that the options choose."""

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
from connections.management.lookups import WRONG_ARGUMENT, find_campaign, find_connection
from connections.models import Connection
from referrals.delivery.pump import deliver_due, finish_in_flight
from referrals.management.commands._selection import add_selection, selected
from referrals.models import Delivery, DeliveryAttempt
from referrals.operations.backfill import backfill, never_sent
from referrals.operations.replay import replay
from referrals.statuses import Trigger

_FAILED = 1
_LOOK_SECONDS = 0.5


class Command(BaseCommand):
    """Safe to interrupt and to start again: what was put back is attempted either way."""

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
            raise CommandError("--rate must be greater than 0.", returncode=WRONG_ARGUMENT)
        shutdown.on_signals()
        if options["backfill"]:
            self._backfill(options)
        else:
            self._replay(options)

    def _replay(self, options: dict[str, Any]) -> None:
        deliveries = selected(options).filter(claimed_at=None)
        if options["dry_run"]:
            self.stdout.write(f"{deliveries.count()} deliveries would be attempted again.")
            return
        began_at = timezone.now()
        self._follow(replay(deliveries, rate=options["rate"]), began_at)

    def _backfill(self, options: dict[str, Any]) -> None:
        if not (options["campaign"] and options["connection"] and options["since"]):
            message = "--backfill needs --campaign, --connection and --since."
            raise CommandError(message, returncode=WRONG_ARGUMENT)
        campaign = find_campaign(options["campaign"])
        connection = find_connection(options["connection"])
        if options["dry_run"]:
            count = never_sent(campaign, connection, since=options["since"]).count()
            self.stdout.write(f"{count} past referrals would be delivered.")
            return
        began_at = timezone.now()
        self._follow(backfill(campaign, connection, since=options["since"]), began_at)

    def _follow(self, count: int, began_at: datetime) -> None:
        """Deliver along with the workers until so many attempts were made, and sum them up."""
        outcomes = self._watch(count, began_at)
        for outcome, number in outcomes.most_common():
            self.stdout.write(f"{number:8} {outcome}")
        self.stdout.write(f"{outcomes.total():8} attempts in all")
        missing = max(0, count - outcomes.total())
        if shutdown.requested():
            self.stdout.write("Interrupted. What was put back is attempted by the workers.")
        elif missing:
            self.stdout.write(f"{missing:8} not attempted: their connections are paused or held")
        if missing or any(not Outcome(outcome).is_success for outcome in outcomes):
            sys.exit(_FAILED)

    def _watch(self, count: int, began_at: datetime) -> Counter[str]:
        columns = (
            TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        outcomes: Counter[str] = Counter()
        with Progress(*columns, transient=True, console=Console(stderr=True)) as progress:
            bar = progress.add_task("", total=count)
            while outcomes.total() < count and _is_any_to_come() and not shutdown.requested():
                deliver_due()
                finish_in_flight()
                outcomes = _made_since(began_at)
                progress.update(bar, completed=outcomes.total())
                if outcomes.total() < count:
                    shutdown.wait(_LOOK_SECONDS)
        return _made_since(began_at)


def _is_any_to_come() -> bool:
    """Whether anything that was put back is still to be attempted, or under way."""
    put_back = Delivery.objects.pending().filter(next_trigger=Trigger.REPLAY)
    return put_back.filter(connection__state=Connection.State.ACTIVE).exists()


def _made_since(moment: datetime) -> Counter[str]:
    rows = (
        DeliveryAttempt.objects.filter(trigger=Trigger.REPLAY, started_at__gte=moment)
        .order_by()
        .values_list("outcome")
        .annotate(count=Count("pk"))
    )
    return Counter(dict(rows))
