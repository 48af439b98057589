"""Take the keys of many rows in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

CHUNK_SIZE = 500
"""Keys in one statement."""


def key_chunks(rows: QuerySet[Any], size: int | None = None) -> Iterator[list[Any]]:
    """Yield the primary keys of all rows, `size` at a time.

    All keys are read at once, because what is done to a chunk changes what the rows' filter finds.
    """
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    step = size or CHUNK_SIZE
    for start in range(0, len(keys), step):
        yield keys[start : start + step]
