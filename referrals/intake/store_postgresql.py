"""Store new referrals and their deliveries on PostgreSQL, with one statement."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from connections.models import Campaign
from referrals.intake.items import NewReferral

_STORE_NEW = """
WITH items AS (
    SELECT * FROM json_to_recordset(%(rows)s::json)
        AS row(id uuid, external_id text, attributes jsonb, occurred_at timestamptz)
), new AS (
    INSERT INTO referrals_referral
        (id, campaign_id, external_id, attributes, occurred_at, accepted_at)
    SELECT id, %(campaign)s, external_id, attributes, occurred_at, %(now)s FROM items
    ON CONFLICT (campaign_id, external_id) DO NOTHING
    RETURNING id
), planned AS (
    INSERT INTO referrals_delivery (referral_id, connection_id, campaign_id, status, outcome,
                                    due_at, attempt_number, attempts_used, next_trigger, created_at)
    SELECT new.id, link.connection_id, link.campaign_id, 'pending', '',
           %(now)s, 0, 0, 'first', %(now)s
    FROM new CROSS JOIN connections_link link
    WHERE link.campaign_id = %(campaign)s AND link.unlinked_at IS NULL
)
SELECT id FROM new
"""


def store_new(campaign: Campaign, rows: Sequence[NewReferral], now: datetime) -> set[uuid.UUID]:
    """Store the new referrals, each with a pending delivery for every active link.

    Return the ids of those that were new.
    """
    parameters: dict[str, Any] = {
        "campaign": campaign.pk,
        "now": now,
        "rows": json.dumps([_to_json(row) for row in rows]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORE_NEW, parameters)
        return {row[0] for row in cursor.fetchall()}


def _to_json(row: NewReferral) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "external_id": row.external_id,
        "attributes": row.attributes,
        "occurred_at": row.occurred_at and row.occurred_at.isoformat(),
    }
