"""Deliveries by the million, as an installation looks after a quarter; knows no page.

Few connections have most of them, some campaigns ended long ago, rare things are rare. All rows
come from four statements of SQL. Import it once Django is set up.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from django.db import connection as database

from benchmarks.bulk_load import filling, forget_durability
from connections.models import Account, Campaign, Connection

QUARTER = 90
"""Days."""
CONNECTIONS, CAMPAIGNS, ACCOUNTS = 50, 250, 25

_STATUSES = {
    "delivered": 0.88, "duplicate": 0.06, "rejected": 0.03, "unavailable": 0.012,
    "suppressed": 0.006, "unrecognised": 0.004, "unknown": 0.004, "invalid": 0.002,
    "cancelled": 0.002,
}  # fmt: skip
_CODES = {
    "delivered": 200, "duplicate": 409, "rejected": 422, "suppressed": 403, "unrecognised": 302,
}  # fmt: skip

# The chances are taken once for each row, so that the rows of the three tables fit together.
_PLAN = """
CREATE TEMPORARY TABLE plan AS
SELECT n, at, campaign_id, connection_id, status, is_pending,
       CASE WHEN is_pending THEN 'unavailable' WHEN status = 'cancelled' THEN ''
            ELSE status END AS outcome
FROM (
    SELECT n, at, (%(campaigns)s::bigint[])[place] AS campaign_id,
           (%(connections)s::bigint[])[1 + place %% %(many)s] AS connection_id,
           (%(statuses)s::text[])[1 + width_bucket(chance, %(thresholds)s::float[])] AS status,
           now() - at < interval '6 hours' AND other_chance < 0.2 AS is_pending
    FROM (
        SELECT n, now() - interval '1 day' * %(days)s * ((%(size)s - n)::float / %(size)s) AS at,
               random() AS chance, random() AS other_chance,
               CASE WHEN n < %(size)s / 10 AND random() < 0.3 THEN %(last)s
                    ELSE 1 + floor((%(last)s - 1) * random() ^ 3)::int END AS place
        FROM generate_series(1, %(size)s::int) n
    ) drawn
) seen
"""

_REFERRALS = """
INSERT INTO referrals_referral (id, campaign_id, external_id, attributes, accepted_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, campaign_id, 'lead-' || n,
       jsonb_build_object('email', 'person' || n || '@example.com', 'first_name', 'Jo',
                          'country', 'US'), at
FROM plan ORDER BY n
"""

_DELIVERIES = """
INSERT INTO referrals_delivery (id, referral_id, campaign_id, connection_id, status, outcome,
                                due_at, finished_at, attempt_number, attempts_used,
                                next_trigger, created_at)
SELECT n, lpad(to_hex(n), 32, '0')::uuid, campaign_id, connection_id,
       CASE WHEN is_pending THEN 'pending' ELSE status END, outcome,
       CASE WHEN is_pending THEN now() + interval '10 minutes' END,
       CASE WHEN NOT is_pending THEN at + interval '1 second' END, 1, 1, 'retry', at
FROM plan ORDER BY n
"""

_ATTEMPTS = """
INSERT INTO referrals_deliveryattempt (
    delivery_id, number, trigger, started_at, duration_ms, outcome, rule, reason, reference,
    request_method, request_url, request_headers, request_body,
    response_status, response_headers, response_body, error_code, error_message)
SELECT n, 1, 'first', at + interval '20 milliseconds', 50 + (1000 * random() ^ 6)::int, outcome,
       '', '', 'crm-' || n, 'POST', 'https://crm.example/3.0/lists/production/members',
       '[["Content-Type", "application/json"]]', convert_to(repeat('x', 200), 'utf8'),
       CASE WHEN outcome = 'unavailable' AND n %% 2 = 1 THEN 503
            ELSE (%(codes)s::jsonb ->> outcome)::int END,
       '[["Content-Type", "application/json"]]',
       convert_to('{"id": "' || n || repeat('y', 200) || '"}', 'utf8'),
       CASE WHEN outcome = 'unknown' THEN 'read_timeout'
            WHEN outcome = 'unavailable' AND n %% 2 = 0 THEN 'connect_refused' ELSE '' END, ''
FROM plan WHERE outcome NOT IN ('', 'invalid') ORDER BY n
"""


def make_quarter(size: int, days: int) -> None:
    """So many deliveries over the last days, each of its own referral, nearly all attempted."""
    campaigns, connections = _make_scene()
    *thresholds, _ = accumulate(_STATUSES.values())
    parameters: dict[str, Any] = {
        "size": size, "days": days, "last": CAMPAIGNS, "campaigns": campaigns,
        "connections": connections, "many": CONNECTIONS, "statuses": list(_STATUSES),
        "thresholds": thresholds,
    }  # fmt: skip
    forget_durability()
    with filling(), database.cursor() as cursor:
        cursor.execute("SELECT setseed(0.7)")
        cursor.execute(_PLAN, parameters)
        cursor.execute(_REFERRALS)
        cursor.execute(_DELIVERIES)
        cursor.execute(_ATTEMPTS, {"codes": _json(_CODES)})
        cursor.execute("DROP TABLE plan")


def _json(table: dict[str, int]) -> str:
    return "{" + ", ".join(f'"{key}": {value}' for key, value in table.items()) + "}"


def _make_scene() -> tuple[list[int], list[int]]:
    """The ids of campaigns and connections."""
    accounts = Account.objects.bulk_create(
        Account(name=f"Account {number}", slug=f"account-{number}") for number in range(ACCOUNTS)
    )
    campaigns = Campaign.objects.bulk_create(
        Campaign(
            account=accounts[number % ACCOUNTS], name=f"Campaign {number}", key=f"c{number}",
            kind="lead_generation",
        )
        for number in range(CAMPAIGNS)
    )  # fmt: skip
    connections = Connection.objects.bulk_create(
        Connection(account=accounts[number % ACCOUNTS], name=f"CRM {number}")
        for number in range(CONNECTIONS)
    )
    return [one.pk for one in campaigns], [one.pk for one in connections]
