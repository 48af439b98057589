"""The admin of what happens to referrals; importing this package registers it."""

from referrals.admin import deliveries, keys, referrals

__all__ = ["deliveries", "keys", "referrals"]
