"""Leases: claim due deliveries for a while, and complete them under the number that was claimed.

Their SQL is written by hand, one module a database, with the same three methods.
"""

from referrals.leases.claims import claim, complete, has_due
from referrals.leases.values import Claim, ClaimResult

__all__ = ["Claim", "ClaimResult", "claim", "complete", "has_due"]
