"""Claims on PostgreSQL: one statement tells what waits, one takes and returns it, one records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from referrals.leases.values import Claim, ClaimResult, PendingConnection
from referrals.statuses import Trigger
from referrals.throttling.capacity import lost_until

# The ORM would ask this in three questions, and each of them costs it more than the database.
_WAITING = """
SELECT c.id, c.limits, h.connection_id IS NOT NULL, h.open_until, h.closed_at,
       coalesce(busy.in_flight, 0), busy.oldest_in_flight_since
FROM connections_connection c
CROSS JOIN LATERAL (
    SELECT d.due_at FROM referrals_delivery d
    WHERE d.connection_id = c.id AND d.due_at <= %(now)s
    ORDER BY d.due_at
    LIMIT 1
) oldest
LEFT JOIN referrals_breakerstate h ON h.connection_id = c.id
LEFT JOIN (
    SELECT d.connection_id, count(*) AS in_flight, min(d.claimed_at) AS oldest_in_flight_since
    FROM referrals_delivery d
    WHERE d.claimed_at > %(lost_until)s AND d.due_at > %(now)s
    GROUP BY d.connection_id
) busy ON busy.connection_id = c.id
WHERE c.state = 'active' AND (h.open_until IS NULL OR h.open_until <= %(now)s)
ORDER BY oldest.due_at
"""

# A LATERAL join takes the oldest few of each connection, so that the claim costs the same whether
# one connection's backlog is a thousand or a million. The outer LIMIT never cuts anything: it tells
# the planner how few rows there will be, which would else read the whole table of referrals.
_TAKE = """
WITH picked AS MATERIALIZED (
    SELECT due.id, due.claimed_at
    FROM unnest(%(connections)s::bigint[], %(shares)s::int[]) AS lane(connection_id, share)
    CROSS JOIN LATERAL (
        SELECT d.id, d.claimed_at FROM referrals_delivery d
        WHERE d.connection_id = lane.connection_id AND d.due_at <= %(now)s
        ORDER BY d.due_at
        LIMIT lane.share
        FOR UPDATE SKIP LOCKED
    ) due
    LIMIT %(most)s
)
UPDATE referrals_delivery d
SET due_at = %(lease_end)s,
    claimed_at = %(now)s,
    attempt_number = d.attempt_number + 1,
    attempts_used = d.attempts_used + CASE WHEN picked.claimed_at IS NULL THEN 0 ELSE 1 END
FROM picked, referrals_referral r, connections_campaign g
WHERE d.id = picked.id AND r.id = d.referral_id AND g.id = r.campaign_id
RETURNING d.id, d.attempt_number, d.connection_id, d.referral_id, d.attempts_used, d.next_trigger,
          d.created_at, picked.claimed_at, g.kind, r.attributes::text
"""

_DELIVERY_COLUMNS = {
    "delivery_id": "bigint",
    "number": "int",
    "status": "text",
    "outcome": "text",
    "attempts_used": "int",
    "due_at": "timestamptz",
    "finished_at": "timestamptz",
    "next_trigger": "text",
}

_ATTEMPT_COLUMNS = {
    "delivery_id": "bigint",
    "number": "int",
    "trigger": "text",
    "started_at": "timestamptz",
    "duration_ms": "int",
    "outcome": "text",
    "rule": "text",
    "reason": "text",
    "reference": "text",
    "request_method": "text",
    "request_url": "text",
    "request_headers": "text",
    "request_body": "bytea",
    "response_status": "int",
    "response_headers": "text",
    "response_body": "bytea",
    "error_code": "text",
    "error_message": "text",
}


def _rows(alias: str, columns: Mapping[str, str]) -> str:
    """A JSON list of objects as a table. One text costs Python a tenth of what an array for each
    column does, and that was a third of all that the main thread did."""
    described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"json_to_recordset(%s::json) AS {alias}({described})"


# The attempt number is the fence: a row that was claimed again meanwhile is not touched, and
# nothing is added to its log. One statement is one commit for dozens of attempts.
_SETTLE = f"""
UPDATE referrals_delivery d
SET status = t.status, outcome = t.outcome, attempts_used = t.attempts_used, due_at = t.due_at,
    finished_at = t.finished_at, next_trigger = t.next_trigger, claimed_at = NULL
FROM {_rows("t", _DELIVERY_COLUMNS)}
WHERE d.id = t.delivery_id AND d.attempt_number = t.number AND d.claimed_at IS NOT NULL
RETURNING d.id
"""  # noqa: S608 - the names are constants of this module.

_RECORD = f"""
WITH settled AS ({_SETTLE}), recorded AS (
    INSERT INTO referrals_deliveryattempt ({", ".join(_ATTEMPT_COLUMNS)})
    SELECT a.* FROM {_rows("a", _ATTEMPT_COLUMNS)}
    JOIN settled ON settled.id = a.delivery_id
)
SELECT id FROM settled
"""  # noqa: S608 - the names are constants of this module.


class PostgreSQLBackend:
    """PostgreSQL's own way to see what waits, to take it and to complete it."""

    def waiting(self, now: datetime) -> list[PendingConnection]:
        """The connections that have something due and do not rest, the longest waiting first."""
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, {"now": now, "lost_until": lost_until(now)})
            return [_pending_connection(row) for row in cursor.fetchall()]

    def take(self, shares: Mapping[int, int], *, now: datetime, lease_end: datetime) -> list[Claim]:
        """Take each connection's share of what is due, in one statement."""
        parameters: dict[str, Any] = {
            "connections": list(shares.keys()),
            "shares": list(shares.values()),
            "most": sum(shares.values()),
            "now": now,
            "lease_end": lease_end,
        }
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, parameters)
            return [_claim(row) for row in cursor.fetchall()]

    def complete(self, results: Sequence[ClaimResult]) -> set[int]:
        """Settle the deliveries and add their attempts in one statement, which needs no transaction
        around it: each turn to the database and back costs the main thread one for the interpreter.
        """
        deliveries = [
            {name: getattr(result, name) for name in _DELIVERY_COLUMNS} for result in results
        ]
        attempts = [
            {
                "delivery_id": result.delivery_id,
                "number": result.number,
                **result.attempt,
            }
            for result in results
            if result.attempt is not None
        ]
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, [_as_json(deliveries), _as_json(attempts)])
            return {row[0] for row in cursor.fetchall()}


def _as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, default=_as_text)


def _as_text(value: datetime | bytes) -> str:
    """What JSON has no word for, as PostgreSQL reads it."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value.isoformat()


def _pending_connection(row: tuple[Any, ...]) -> PendingConnection:
    connection_id, limits, has_breaker, open_until, closed_at, in_flight, oldest_in_flight_since = (
        row
    )
    return PendingConnection(
        connection_id=connection_id,
        limits=json.loads(limits),
        has_breaker=has_breaker,
        open_until=open_until,
        closed_at=closed_at,
        in_flight=in_flight,
        oldest_in_flight_since=oldest_in_flight_since,
    )


def _claim(row: tuple[Any, ...]) -> Claim:
    (
        id_,
        number,
        connection_id,
        referral_id,
        attempts_used,
        trigger,
        created_at,
        previous_claimed_at,
        kind,
        attributes,
    ) = row
    return Claim(
        delivery_id=id_,
        number=number,
        connection_id=connection_id,
        referral_id=referral_id,
        attempts_used=attempts_used,
        trigger=Trigger(trigger),
        created_at=created_at,
        previous_claimed_at=previous_claimed_at,
        campaign_kind=kind,
        attributes=json.loads(attributes),
    )
