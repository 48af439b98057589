"""A program inside an installation that adds a backlog of an hour ago to a campaign.

The arguments are the campaign and how many: `python -m tests.faults.backlog dead 200000`.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django's way.

from connections.models import Campaign, Connection  # noqa: E402
from referrals.models import Delivery, Referral  # noqa: E402

_PIECE = 2_000


def add(name: str, count: int) -> None:
    campaign, connection = Campaign.objects.get(key=name), Connection.objects.get(name=name)
    moment = timezone.now() - timedelta(hours=1)
    for start in range(0, count, _PIECE):
        referrals = Referral.objects.bulk_create(
            Referral(
                campaign=campaign,
                external_id=f"backlog-{number}",
                attributes={"email": f"jo.{number}@example.com"},
                accepted_at=moment,
            )
            for number in range(start, min(start + _PIECE, count))
        )
        Delivery.objects.bulk_create(
            Delivery(
                referral=referral,
                connection=connection,
                campaign=campaign,
                due_at=moment,
                created_at=moment,
            )
            for referral in referrals
        )


if __name__ == "__main__":
    add(sys.argv[1], int(sys.argv[2]))
