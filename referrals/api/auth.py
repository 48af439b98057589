"""Who calls the API, and at which campaign's door; must not know what is handed in."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.http import HttpRequest
from ninja.security import HttpBearer

from connections.models import Campaign
from referrals.models.intake_keys import digest

_COLUMNS = ("id", "account_id", "name", "status")

# Asked at every request, so that it is one question, and one that the ORM doesn't put together anew
# each time, which takes it three times as long as the database takes to answer.
_WHO = f"""
SELECT key.account_id, {", ".join(f"campaign.{name}" for name in _COLUMNS)}
FROM referrals_intakekey key
LEFT JOIN connections_campaign campaign
    ON campaign.account_id = key.account_id AND campaign.key = %s
WHERE key.digest = %s AND key.revoked_at IS NULL
"""  # noqa: S608 - the names are constants of this module.


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatedCaller:
    """The account whose key it is, and its campaign that the address names, where there is one."""

    account_id: int
    campaign: Campaign | None


class IntakeKeyBearer(HttpBearer):
    """Opens the API to whoever holds an account's intake key that wasn't revoked."""

    def authenticate(self, request: HttpRequest, token: str) -> AuthenticatedCaller | None:
        """The caller, or None where the token is nobody's."""
        match = request.resolver_match
        campaign_key = match.kwargs.get("campaign_key", "") if match else ""
        with connection.cursor() as cursor:
            cursor.execute(_WHO, [campaign_key, digest(token)])
            row = cursor.fetchone()
        return row and AuthenticatedCaller(account_id=row[0], campaign=_campaign(row[1:]))


def _campaign(row: tuple[int | str | None, ...]) -> Campaign | None:
    is_there = row[0] is not None
    return Campaign.from_db(connection.alias, _COLUMNS, row) if is_there else None
