"""The intake API: create referrals and read the status of their deliveries."""

from referrals.api.views import api

__all__ = ["api"]
