"""What people do to deliveries: replay, re-read, cancel, backfill, unlink, release."""
