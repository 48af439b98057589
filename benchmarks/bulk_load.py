"""Filling tables with a million rows in a minute: what slows that down is put aside meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as database

TABLES = ("referrals_deliveryattempt", "referrals_delivery", "referrals_referral")

_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY(%s::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


@contextmanager
def filling() -> Iterator[None]:
    """Indexes are built at the end, which sorts once instead of a million times, and foreign keys
    are believed: the rows come from one statement that can't be wrong about them."""
    with database.cursor() as cursor:
        cursor.execute(_INDEXES, [list(TABLES)])
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '256MB'")
        yield
        cursor.execute("SET session_replication_role = origin")
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute(f"VACUUM ANALYZE {', '.join(TABLES)}")


def forget_durability() -> None:
    """For rows that are only read: they need no log that survives a crash."""
    with database.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} SET UNLOGGED")
