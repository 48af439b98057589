"""Names of the permissions that the code checks, of both apps, and two checks of a user.

This app needs a permission of `referrals`: the exchange of a test may contain personal data. Which
role has which permission: `migrations/0002_roles.py`.
"""

from __future__ import annotations

from typing import Protocol

PERM_ADD_CONNECTION = "connections.add_connection"
PERM_CHANGE_CONNECTION = "connections.change_connection"
PERM_VIEW_LINK = "connections.view_link"
PERM_ADD_LINK = "connections.add_link"
PERM_CHANGE_LINK = "connections.change_link"
PERM_VIEW_DELIVERY = "referrals.view_delivery"
PERM_CHANGE_DELIVERY = "referrals.change_delivery"
PERM_VIEW_CUSTOMER_DATA = "referrals.view_customer_data"


class PermissionHolder(Protocol):
    """A user, logged in or anonymous."""

    def has_perm(self, perm: str, /) -> bool:
        """Return whether the user has the permission."""


def can_change_deliveries(user: PermissionHolder) -> bool:
    """Return whether the user may replay, re-read, cancel and backfill deliveries."""
    return user.has_perm(PERM_CHANGE_DELIVERY)


def can_view_customer_data(user: PermissionHolder) -> bool:
    """Return whether the user may see customers' personal data."""
    return user.has_perm(PERM_VIEW_CUSTOMER_DATA)
