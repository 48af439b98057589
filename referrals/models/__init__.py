"""What happens to referrals, one noun a module."""

from referrals.models.deliveries import Delivery, DeliveryAttempt
from referrals.models.keys import IntakeKey
from referrals.models.referrals import Referral

__all__ = ["Delivery", "DeliveryAttempt", "IntakeKey", "Referral"]
