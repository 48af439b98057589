"""The app of what happens to referrals."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """Referrals, deliveries and their attempts."""

    name = "referrals"
    verbose_name = "Deliveries"

    def ready(self) -> None:
        """Register the checks that run at the start, and the queue that connection tests take."""
        from connections.jobs import use_queue  # noqa: PLC0415 - Django's own place for it.
        from referrals import checks  # noqa: F401, PLC0415
        from referrals.connection_test_queue import TestJobs  # noqa: PLC0415

        use_queue(TestJobs())
