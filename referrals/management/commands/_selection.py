"""The options that select deliveries, shared by replay, reread and cancel."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from connections.management.lookups import (
    WRONG_ARGUMENT_EXIT_CODE,
    find_account,
    find_campaign,
    find_connection,
)
from referrals.models import Delivery
from referrals.models.deliveries import DeliveryQuerySet
from referrals.statuses import DeliveryStatus


def add_selection(parser: CommandParser) -> None:
    """Add the options that select deliveries; each narrows the selection."""
    statuses = [status.value for status in DeliveryStatus]
    parser.add_argument("--account", metavar="SLUG")
    parser.add_argument("--campaign", metavar="KEY", help="The campaign's key.")
    parser.add_argument("--connection", metavar="ID", type=int)
    parser.add_argument(
        "--outcome", action="append", choices=statuses, metavar="OUTCOME",
        help=f"May be given several times: {', '.join(statuses)}.",
    )  # fmt: skip
    parser.add_argument("--status-code", type=int, help="Of an answer of the CRM: 503")
    parser.add_argument(
        "--since", type=_parse_datetime, help="Accepted at or after: 2026-01-31[T12:30]"
    )
    parser.add_argument("--until", type=_parse_datetime, help="Accepted before: 2026-02-01")
    parser.add_argument("--dry-run", action="store_true", help="Only say how many they are.")


def select_deliveries(options: dict[str, Any]) -> DeliveryQuerySet:
    """Return the deliveries that the options select.

    Raise CommandError if no option is given or one names a row that does not exist.
    """
    filters: dict[str, Any] = {}
    if options["account"]:
        filters["connection__account"] = find_account(options["account"])
    if options["campaign"]:
        filters["referral__campaign"] = find_campaign(options["campaign"])
    if options["connection"]:
        filters["connection"] = find_connection(options["connection"])
    if options["outcome"]:
        filters["status__in"] = options["outcome"]
    if options["status_code"]:
        filters["attempts__response_status"] = options["status_code"]
    if options["since"]:
        filters["created_at__gte"] = options["since"]
    if options["until"]:
        filters["created_at__lt"] = options["until"]
    if not filters:
        message = "Say which deliveries: give at least one of --account, --campaign, …"
        raise CommandError(message, returncode=WRONG_ARGUMENT_EXIT_CODE)
    return Delivery.objects.filter(**filters).distinct()


def _parse_datetime(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no moment; write 2026-01-31 or 2026-01-31T12:30"
        raise ArgumentTypeError(message) from None
    return value if timezone.is_aware(value) else timezone.make_aware(value)
