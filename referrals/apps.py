"""The app configuration."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """Referrals, deliveries and their attempts."""

    name = "referrals"
    verbose_name = "Deliveries"

    def ready(self) -> None:
        """Register the checks that run at the start."""
        from referrals import checks  # noqa: F401, PLC0415 - Django's own place for it.
