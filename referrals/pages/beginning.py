"""What a new installation has still to do, step by step; must not know the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from connections.models import Account, Campaign, Connection, Link
from referrals.models import IntakeKey


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """One thing to do before anything is delivered, and where."""

    title: str
    explanation: str
    address: str
    is_done: bool


def first_steps(user: Any) -> Sequence[FirstStep]:  # noqa: ANN401 - any kind of user.
    """The way from nothing to the first delivery."""
    connections = Connection.objects.visible_to(user)
    return (
        FirstStep(
            title="Add an account",
            explanation="One advertiser; its staff become members.",
            address=reverse("admin:connections_account_add"),
            is_done=Account.objects.visible_to(user).exists(),
        ),
        FirstStep(
            title="Add a connection",
            explanation="How the CRM is reached and how its answers are read.",
            address=reverse("admin:connections_connection_add"),
            is_done=connections.exists(),
        ),
        FirstStep(
            title="Test it",
            explanation="Until it does what is wanted.",
            address=reverse("admin:connections_connection_changelist"),
            is_done=connections.tested().exists(),
        ),
        FirstStep(
            title="Add a campaign",
            explanation="What referrals come in for.",
            address=reverse("admin:connections_campaign_add"),
            is_done=Campaign.objects.visible_to(user).exists(),
        ),
        FirstStep(
            title="Link the campaign",
            explanation="From then on its referrals go to the connection.",
            address=reverse("admin:real_time_referral"),
            is_done=Link.objects.visible_to(user).active().exists(),
        ),
        FirstStep(
            title="Issue an intake key",
            explanation="With it, your site hands in referrals over the API.",
            address=reverse("admin:referrals_intakekey_add"),
            is_done=IntakeKey.objects.visible_to(user).exists(),
        ),
    )
