"""`manage.py cancel`: only what still waits, and only what was meant."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from connections.models import Campaign
from referrals.intake import Item, accept_referrals
from referrals.models import Delivery


def run(*arguments: str) -> str:
    printed = StringIO()
    call_command("cancel", *arguments, stdout=printed)
    return printed.getvalue()


@pytest.mark.usefixtures("link")
def test_what_waits_is_cancelled_and_what_a_worker_has_is_not(campaign: Campaign) -> None:
    accept_referrals(
        campaign,
        [Item(external_id=name, attributes={"email": "jo@example.com"}) for name in "abc"],
    )
    in_flight = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=in_flight.pk).update(claimed_at=in_flight.created_at)

    assert run("--campaign", campaign.key, "--dry-run") == "2 deliveries would be cancelled.\n"
    assert run("--campaign", campaign.key) == "2 deliveries cancelled.\n"

    statuses = Delivery.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["pending", "cancelled", "cancelled"]
