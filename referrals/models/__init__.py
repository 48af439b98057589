"""Models and querysets of referrals, deliveries, breakers and intake keys."""

from referrals.models.breaker_state import BreakerState
from referrals.models.deliveries import Delivery, DeliveryAttempt
from referrals.models.intake_keys import IntakeKey
from referrals.models.referrals import Referral

__all__ = ["BreakerState", "Delivery", "DeliveryAttempt", "IntakeKey", "Referral"]
