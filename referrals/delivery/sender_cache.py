"""A cache of this process's senders, invalidated when `changed_at` changes or after 60 seconds."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from connections.models import Connection
from referrals.delivery.connection_sender import ConnectionSender

_MAX_AGE_SECONDS = 60
"""Saving a connection changes `changed_at`; what else a sender is made of, such as the account's
own attributes, may be so old. It also drops connections that nobody delivers to any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _CacheEntry:
    sender: ConnectionSender
    changed_at: datetime
    made_at: float


_cache: dict[int, _CacheEntry] = {}


def get_senders(connection_ids: Iterable[int]) -> dict[int, ConnectionSender]:
    """Return a sender for each connection, prepared now or before; one thread at a time."""
    _drop_old_entries()
    rows = Connection.objects.filter(pk__in=connection_ids)
    changed_at = dict(rows.values_list("pk", "changed_at"))
    _prepare_senders([pk for pk, at in changed_at.items() if not _is_cached(pk, at)])
    return {pk: _cache[pk].sender for pk in changed_at}


def _is_cached(connection_id: int, changed_at: datetime) -> bool:
    entry = _cache.get(connection_id)
    return entry is not None and entry.changed_at == changed_at


def _prepare_senders(connection_ids: list[int]) -> None:
    if not connection_ids:
        return
    for row in Connection.objects.filter(pk__in=connection_ids).with_everything():
        _cache[row.pk] = _CacheEntry(
            sender=ConnectionSender(row), changed_at=row.changed_at, made_at=time.monotonic()
        )


def _drop_old_entries() -> None:
    oldest = time.monotonic() - _MAX_AGE_SECONDS
    for pk in [pk for pk, entry in _cache.items() if entry.made_at < oldest]:
        del _cache[pk]
