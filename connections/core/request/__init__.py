"""From a description and a referral's attributes to the exact request; pure."""
