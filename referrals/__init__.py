"""Referrals: their intake, their delivery, and the log of both."""
