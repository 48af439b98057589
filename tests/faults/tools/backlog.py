"""A program that adds overdue deliveries to a campaign, accepted an hour ago.

Arguments: campaign key and count, as in `python -m tests.faults.tools.backlog dead 200000`.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django's way.

from connections.models import Campaign, Connection  # noqa: E402
from referrals.models import Delivery, Referral  # noqa: E402

_BATCH_SIZE = 2_000


def add_backlog(name: str, count: int) -> None:
    """Create referrals of the campaign, with a due delivery each to the connection of this name."""
    campaign, connection = Campaign.objects.get(key=name), Connection.objects.get(name=name)
    accepted_at = timezone.now() - timedelta(hours=1)
    for start in range(0, count, _BATCH_SIZE):
        referrals = Referral.objects.bulk_create(
            Referral(
                campaign=campaign,
                external_id=f"backlog-{number}",
                attributes={"email": f"jo.{number}@example.com"},
                accepted_at=accepted_at,
            )
            for number in range(start, min(start + _BATCH_SIZE, count))
        )
        Delivery.objects.bulk_create(
            Delivery(
                referral=referral,
                connection=connection,
                campaign=campaign,
                due_at=accepted_at,
                created_at=accepted_at,
            )
            for referral in referrals
        )


if __name__ == "__main__":
    add_backlog(sys.argv[1], int(sys.argv[2]))
