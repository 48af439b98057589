"""Finding the row that an argument names, with an error that lists what there is."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.management.base import CommandError

from connections.models import Account, Campaign, Connection

WRONG_ARGUMENT = 2
_MAX_LISTED = 20


def find_account(slug: str) -> Account:
    """The account of this slug; raises CommandError."""
    found = Account.objects.filter(slug=slug).first()
    if found is None:
        raise _unknown(f'account "{slug}"', Account.objects.values_list("slug", flat=True))
    return found


def find_campaign(key: str) -> Campaign:
    """The campaign of this key; raises CommandError."""
    found = Campaign.objects.filter(key=key).first()
    if found is None:
        raise _unknown(f'campaign "{key}"', Campaign.objects.values_list("key", flat=True))
    return found


def find_connection(id_: int) -> Connection:
    """The connection of this id, with everything; raises CommandError."""
    found = Connection.objects.with_everything().filter(pk=id_).first()
    if found is None:
        rows = Connection.objects.values_list("pk", "name")
        raise _unknown(f"connection {id_}", [f"{pk} ({name})" for pk, name in rows])
    return found


def _unknown(what: str, known: Iterable[str]) -> CommandError:
    names = [str(name) for name in known][:_MAX_LISTED]
    message = f"There is no {what}. There are: {', '.join(names) or 'none yet'}."
    return CommandError(message, returncode=WRONG_ARGUMENT)
