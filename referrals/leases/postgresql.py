"""Leases on PostgreSQL: one statement reads what is pending, one claims it, one completes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from referrals.leases.values import Claim, ClaimResult
from referrals.models.deliveries import lost_until
from referrals.statuses import Trigger
from referrals.throttling.capacity import PendingConnection

# The same as `sendable_connections` with something `due`, and their deliveries `in_flight`, as a
# test shows. The ORM would need three queries, and each costs it more than it costs the database.
_SELECT_PENDING = """
SELECT c.id AS connection_id, c.limits::text AS limits,
       b.connection_id IS NOT NULL AS has_breaker, b.open_until, b.closed_at,
       coalesce(claims.in_flight, 0) AS in_flight, claims.oldest_in_flight_since
FROM connections_connection c
CROSS JOIN LATERAL (
    SELECT d.due_at FROM referrals_delivery d
    WHERE d.connection_id = c.id AND d.due_at <= %(now)s
    ORDER BY d.due_at
    LIMIT 1
) oldest_due
LEFT JOIN referrals_breakerstate b ON b.connection_id = c.id
LEFT JOIN (
    SELECT d.connection_id, count(*) AS in_flight, min(d.claimed_at) AS oldest_in_flight_since
    FROM referrals_delivery d
    WHERE d.claimed_at > %(lost_until)s AND d.due_at > %(now)s
    GROUP BY d.connection_id
) claims ON claims.connection_id = c.id
WHERE c.state = 'active' AND (b.open_until IS NULL OR b.open_until <= %(now)s)
ORDER BY oldest_due.due_at
"""

# A LATERAL join takes the oldest few of each connection, so that the claim costs the same whether
# one connection's backlog is a thousand or a million. The outer LIMIT never cuts anything: it tells
# the planner how few rows there will be, which would else read the whole table of referrals.
_CLAIM = """
WITH claimed AS MATERIALIZED (
    SELECT due.id, due.claimed_at
    FROM unnest(%(connection_ids)s::bigint[], %(shares)s::int[]) AS allowed(connection_id, share)
    CROSS JOIN LATERAL (
        SELECT d.id, d.claimed_at FROM referrals_delivery d
        WHERE d.connection_id = allowed.connection_id AND d.due_at <= %(now)s
        ORDER BY d.due_at
        LIMIT allowed.share
        FOR UPDATE SKIP LOCKED
    ) due
    LIMIT %(total)s
)
UPDATE referrals_delivery d
SET due_at = %(lease_end)s,
    claimed_at = %(now)s,
    attempt_number = d.attempt_number + 1,
    attempts_used = d.attempts_used + CASE WHEN claimed.claimed_at IS NULL THEN 0 ELSE 1 END
FROM claimed, referrals_referral r, connections_campaign g
WHERE d.id = claimed.id AND r.id = d.referral_id AND g.id = r.campaign_id
RETURNING d.id AS delivery_id, d.attempt_number AS number, d.connection_id, d.referral_id,
          d.attempts_used, d.next_trigger AS trigger, d.created_at,
          claimed.claimed_at AS previous_claimed_at, g.kind AS campaign_kind,
          r.attributes::text AS attributes
"""

_RESULT_COLUMNS = {
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


def _build_recordset(alias: str, columns: Mapping[str, str]) -> str:
    """Return SQL that reads a parameter, a JSON list of objects, as a table.

    One text costs Python a tenth of what an array for each column does, and that was a third of all
    that the main thread did.
    """
    described = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
    return f"json_to_recordset(%s::json) AS {alias}({described})"


# The attempt number is the fence: a row that was claimed again meanwhile is not touched, and no
# attempt is inserted for it. One statement is one commit for dozens of attempts.
_COMPLETE = f"""
WITH completed AS (
    UPDATE referrals_delivery d
    SET status = result.status, outcome = result.outcome, attempts_used = result.attempts_used,
        due_at = result.due_at, finished_at = result.finished_at,
        next_trigger = result.next_trigger, claimed_at = NULL
    FROM {_build_recordset("result", _RESULT_COLUMNS)}
    WHERE d.id = result.delivery_id AND d.attempt_number = result.number
      AND d.claimed_at IS NOT NULL
    RETURNING d.id
), inserted AS (
    INSERT INTO referrals_deliveryattempt ({", ".join(_ATTEMPT_COLUMNS)})
    SELECT attempt.* FROM {_build_recordset("attempt", _ATTEMPT_COLUMNS)}
    JOIN completed ON completed.id = attempt.delivery_id
)
SELECT id FROM completed
"""  # noqa: S608 - the names are constants of this module.


class PostgreSQLBackend:
    """The SQL of leases on PostgreSQL."""

    def pending_connections(self, now: datetime) -> list[PendingConnection]:
        """Return the connections with something due that may be sent to, the longest waiting first.

        It locks nothing.
        """
        rows = _fetch_dicts(_SELECT_PENDING, {"now": now, "lost_until": lost_until(now)})
        return [PendingConnection(**{**row, "limits": json.loads(row["limits"])}) for row in rows]

    def take(self, shares: Mapping[int, int], *, now: datetime, lease_end: datetime) -> list[Claim]:
        """Claim each connection's share of what is due, the oldest first, and return the claims."""
        rows = _fetch_dicts(
            _CLAIM,
            {
                "connection_ids": list(shares.keys()),
                "shares": list(shares.values()),
                "total": sum(shares.values()),
                "now": now,
                "lease_end": lease_end,
            },
        )
        return [_build_claim(row) for row in rows]

    def complete(self, results: Sequence[ClaimResult]) -> set[int]:
        """Update the deliveries that are still claimed under their number; insert their attempts.

        Return the ids of these deliveries. One statement needs no transaction around it: every
        round trip to the database releases the GIL, and the main thread must wait to get it back.
        """
        deliveries = [{name: getattr(one, name) for name in _RESULT_COLUMNS} for one in results]
        attempts = [
            {"delivery_id": one.delivery_id, "number": one.number, **one.attempt}
            for one in results
            if one.attempt is not None
        ]
        with connection.cursor() as cursor:
            cursor.execute(_COMPLETE, [_dump_json(deliveries), _dump_json(attempts)])
            return {row[0] for row in cursor.fetchall()}


def _fetch_dicts(sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _build_claim(row: Mapping[str, Any]) -> Claim:
    trigger, attributes = Trigger(row["trigger"]), json.loads(row["attributes"])
    return Claim(**{**row, "trigger": trigger, "attributes": attributes})


def _dump_json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, default=_to_text)


def _to_text(value: datetime | bytes) -> str:
    """Return what JSON has no type for, as PostgreSQL reads it."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value.isoformat()
