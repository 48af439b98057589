"""Authenticate callers of the API by their intake key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.http import HttpRequest
from ninja.security import HttpBearer

from connections.models import Campaign
from referrals.models.intake_keys import digest

_COLUMNS = ("id", "account_id", "name", "status")

# Every request needs it, so it is one query, and written by hand: the ORM takes three times as long
# to build it as the database takes to run it.
_CALLER = f"""
SELECT key.account_id, {", ".join(f"campaign.{name}" for name in _COLUMNS)}
FROM referrals_intakekey key
LEFT JOIN connections_campaign campaign
    ON campaign.account_id = key.account_id AND campaign.key = %s
WHERE key.digest = %s AND key.revoked_at IS NULL
"""  # noqa: S608 - the names are constants of this module.


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatedCaller:
    """The account of the intake key, and its campaign that the URL names, if there is one."""

    account_id: int
    campaign: Campaign | None


class IntakeKeyBearer(HttpBearer):
    """Bearer authentication with an account's intake key."""

    def authenticate(self, request: HttpRequest, token: str) -> AuthenticatedCaller | None:
        """Return the caller, or None if the token is no intake key or was revoked."""
        match = request.resolver_match
        campaign_key = match.kwargs.get("campaign_key", "") if match else ""
        with connection.cursor() as cursor:
            cursor.execute(_CALLER, [campaign_key, digest(token)])
            row = cursor.fetchone()
        return row and AuthenticatedCaller(account_id=row[0], campaign=_build_campaign(row[1:]))


def _build_campaign(row: tuple[int | str | None, ...]) -> Campaign | None:
    exists = row[0] is not None
    return Campaign.from_db(connection.alias, _COLUMNS, row) if exists else None
