"""The channels of this process: a connection is prepared again only once it is another one.

Knows when a description has changed, but not what is done with a channel.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from connections.models import Connection
from referrals.delivery.connection_sender import ConnectionSender

_KEPT_SECONDS = 60
"""Saving a description changes `changed_at`; what else a channel comes from, such as an account's
own attributes, may be so old. It also lets connections go that nobody delivers to any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    sender: ConnectionSender
    changed_at: datetime
    made_at: float


_kept: dict[int, _Kept] = {}


def get_senders(connection_ids: Iterable[int]) -> dict[int, ConnectionSender]:
    """A channel for each; called by one thread at a time."""
    _forget_old_ones()
    asked = Connection.objects.filter(pk__in=connection_ids)
    versions = dict(asked.values_list("pk", "changed_at"))
    changed = [pk for pk, at in versions.items() if pk not in _kept or _kept[pk].changed_at != at]
    for row in Connection.objects.filter(pk__in=changed).with_everything() if changed else ():
        _kept[row.pk] = _Kept(
            sender=ConnectionSender(row), changed_at=row.changed_at, made_at=time.monotonic()
        )
    return {pk: _kept[pk].sender for pk in versions}


def _forget_old_ones() -> None:
    oldest = time.monotonic() - _KEPT_SECONDS
    for pk in [pk for pk, kept in _kept.items() if kept.made_at < oldest]:
        del _kept[pk]
