"""What happens to referrals, one noun a module."""

from referrals.models.deliveries import Delivery, DeliveryAttempt
from referrals.models.health import ConnectionHealth
from referrals.models.keys import IntakeKey
from referrals.models.referrals import Referral

__all__ = ["ConnectionHealth", "Delivery", "DeliveryAttempt", "IntakeKey", "Referral"]
