"""The app of what happens to referrals."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """Referrals, deliveries and their attempts."""

    name = "referrals"
    verbose_name = "Deliveries"

    def ready(self) -> None:
        """Register the checks that run before anything starts."""
        from referrals import checks  # noqa: F401, PLC0415 - Django's own place for it.
