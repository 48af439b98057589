"""The onboarding steps of a new installation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from connections.models import Account, Campaign, Connection, Link
from referrals.models import IntakeKey


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingStep:
    """One step to do before anything is delivered, and the URL of its page."""

    title: str
    explanation: str
    url: str
    is_done: bool


_STEPS = (
    (
        "Add an account",
        "One advertiser; its staff become members.",
        "connections_account_add",
    ),
    (
        "Add a connection",
        "How the CRM is reached and how its answers are read.",
        "connections_connection_add",
    ),
    (
        "Test it",
        "Until it does what is wanted.",
        "connections_connection_changelist",
    ),
    (
        "Add a campaign",
        "What referrals come in for.",
        "connections_campaign_add",
    ),
    (
        "Link the campaign",
        "From then on its referrals go to the connection.",
        "real_time_referral",
    ),
    (
        "Issue an intake key",
        "With it, your site hands in referrals over the API.",
        "referrals_intakekey_add",
    ),
)


def onboarding_steps(user: Any) -> Sequence[OnboardingStep]:  # noqa: ANN401 - any kind of user.
    """Return the steps from an empty installation to the first delivery."""
    connections = Connection.objects.visible_to(user)
    results: tuple[QuerySet[Any], ...] = (
        Account.objects.visible_to(user),
        connections,
        connections.tested(),
        Campaign.objects.visible_to(user),
        Link.objects.visible_to(user).active(),
        IntakeKey.objects.visible_to(user),
    )
    return [
        OnboardingStep(
            title=title,
            explanation=explanation,
            url=reverse(f"admin:{name}"),
            is_done=rows.exists(),
        )
        for (title, explanation, name), rows in zip(_STEPS, results, strict=True)
    ]
