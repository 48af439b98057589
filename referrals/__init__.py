"""What happens to referrals: intake, delivery, and the record of both."""
