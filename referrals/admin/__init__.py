"""The admin of this app; importing this package registers it."""

from referrals.admin import connections, deliveries, keys, referrals

__all__ = ["connections", "deliveries", "keys", "referrals"]
