"""Fixtures of deliveries, for what goes through the queue."""

from tests.referrals.conftest import door, intake_key, patient, running

__all__ = ["door", "intake_key", "patient", "running"]
