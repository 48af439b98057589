"""Find the row that an argument names, or raise an error that lists the existing ones."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from django.core.management.base import CommandError

from connections.models import Account, Campaign, Connection

WRONG_ARGUMENT_EXIT_CODE = 2
_MAX_LISTED_NAMES = 20


def find_account(slug: str) -> Account:
    """Return the account with this slug; raise CommandError if there is none."""
    account = Account.objects.filter(slug=slug).first()
    if account is None:
        raise _not_found(f'account "{slug}"', Account.objects.values_list("slug", flat=True))
    return account


def find_campaign(key: str) -> Campaign:
    """Return the campaign with this key; raise CommandError if there is none."""
    campaign = Campaign.objects.filter(key=key).first()
    if campaign is None:
        raise _not_found(f'campaign "{key}"', Campaign.objects.values_list("key", flat=True))
    return campaign


def find_connection(id_: int) -> Connection:
    """Return the connection with this id and its related rows; raise CommandError if none."""
    connection = Connection.objects.with_everything().filter(pk=id_).first()
    if connection is None:
        rows = Connection.objects.values_list("pk", "name")
        raise _not_found(f"connection {id_}", [f"{pk} ({name})" for pk, name in rows])
    return connection


def _not_found(description: str, existing: Iterable[str]) -> CommandError:
    names = list(islice(existing, _MAX_LISTED_NAMES))
    message = f"There is no {description}. There are: {', '.join(names) or 'none yet'}."
    return CommandError(message, returncode=WRONG_ARGUMENT_EXIT_CODE)
