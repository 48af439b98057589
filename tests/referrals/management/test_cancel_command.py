"""Tests of `manage.py cancel`."""

from __future__ import annotations

import pytest

from connections.models import Campaign
from referrals.intake import Item, accept_referrals
from referrals.models import Delivery
from tests.referrals.management.helpers import run_command


@pytest.mark.usefixtures("link")
def test_cancel_cancels_deliveries_that_wait_and_leaves_those_in_flight(campaign: Campaign) -> None:
    accept_referrals(
        campaign,
        [Item(external_id=name, attributes={"email": "jo@example.com"}) for name in "abc"],
    )
    in_flight = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=in_flight.pk).update(claimed_at=in_flight.created_at)

    arguments = ("--campaign", campaign.key)

    dry_run = run_command("cancel", *arguments, "--dry-run")
    assert dry_run == (0, ["2 deliveries would be cancelled."])
    assert run_command("cancel", *arguments) == (0, ["2 deliveries cancelled."])

    statuses = Delivery.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["pending", "cancelled", "cancelled"]
