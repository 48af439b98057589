"""Seed millions of deliveries, as an installation has them after three months.

A few connections have most of the deliveries, some campaigns ended long ago, and rare outcomes are
rare. Four SQL statements insert all rows. Import this module only after `django.setup()`.
"""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

from django.db import connection as database

from benchmarks.bulk_load import bulk_loading, set_tables_unlogged
from connections.models import Account, Campaign, Connection

HISTORY_DAYS = 90
CONNECTIONS, CAMPAIGNS, ACCOUNTS = 50, 250, 25

_STATUS_SHARES = {
    "delivered": 0.88, "duplicate": 0.06, "rejected": 0.03, "unavailable": 0.012,
    "suppressed": 0.006, "unrecognised": 0.004, "unknown": 0.004, "invalid": 0.002,
    "cancelled": 0.002,
}  # fmt: skip
_RESPONSE_STATUSES = {
    "delivered": 200, "duplicate": 409, "rejected": 422, "suppressed": 403, "unrecognised": 302,
}  # fmt: skip

# Random values are drawn once per delivery, so that the rows of the three tables are consistent.
_PLAN = """
CREATE TEMPORARY TABLE plan AS
SELECT n, at, campaign_id, connection_id, status, is_pending,
       CASE WHEN is_pending THEN 'unavailable' WHEN status = 'cancelled' THEN ''
            ELSE status END AS outcome
FROM (
    SELECT n, at, (%(campaigns)s::bigint[])[campaign_number] AS campaign_id,
           (%(connections)s::bigint[])[1 + campaign_number %% %(connection_count)s]
               AS connection_id,
           (%(statuses)s::text[])[1 + width_bucket(chance, %(thresholds)s::float[])] AS status,
           now() - at < interval '6 hours' AND other_chance < 0.2 AS is_pending
    FROM (
        SELECT n, now() - interval '1 day' * %(days)s * ((%(size)s - n)::float / %(size)s) AS at,
               random() AS chance, random() AS other_chance,
               CASE WHEN n < %(size)s / 10 AND random() < 0.3 THEN %(last)s
                    ELSE 1 + floor((%(last)s - 1) * random() ^ 3)::int END AS campaign_number
        FROM generate_series(1, %(size)s::int) n
    ) drawn
) planned
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


def seed_history(size: int, days: int) -> None:
    """Insert `size` deliveries of the last days, each of its own referral, nearly all attempted."""
    campaigns, connections = _create_campaigns_and_connections()
    *thresholds, _ = accumulate(_STATUS_SHARES.values())
    parameters: dict[str, Any] = {
        "size": size, "days": days, "last": CAMPAIGNS, "campaigns": campaigns,
        "connections": connections, "connection_count": CONNECTIONS,
        "statuses": list(_STATUS_SHARES), "thresholds": thresholds,
    }  # fmt: skip
    set_tables_unlogged()
    with bulk_loading(), database.cursor() as cursor:
        cursor.execute("SELECT setseed(0.7)")
        cursor.execute(_PLAN, parameters)
        cursor.execute(_REFERRALS)
        cursor.execute(_DELIVERIES)
        cursor.execute(_ATTEMPTS, {"codes": json.dumps(_RESPONSE_STATUSES)})
        cursor.execute("DROP TABLE plan")


def _create_campaigns_and_connections() -> tuple[list[int], list[int]]:
    """Return the ids of the campaigns and of the connections."""
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
    return [campaign.pk for campaign in campaigns], [connection.pk for connection in connections]
