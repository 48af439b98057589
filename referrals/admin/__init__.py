"""The admin of what happens to referrals; importing this package registers it."""

from referrals.admin import deliveries, keys

__all__ = ["deliveries", "keys"]
