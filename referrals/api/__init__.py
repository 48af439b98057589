"""The intake API: referrals come in, and their deliveries can be asked for."""

from referrals.api.views import api

__all__ = ["api"]
