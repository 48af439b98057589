"""Connection tests: what the Test button sent and what came of it, apart from real deliveries."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connections.http.outcomes import Outcome
from connections.http.spec import Environment
from connections.models.connections import Connection
from connections.models.exchanges import ExchangeRecord


class ConnectionTest(ExchangeRecord):
    """One test: the exchange, its outcome, and the outcome that was expected."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tests")
    environment = models.CharField(
        max_length=16, choices=[(choice.value, choice.value.capitalize()) for choice in Environment]
    )
    attributes = models.JSONField(default=dict)
    expected_outcome = models.CharField(
        max_length=16,
        blank=True,
        choices=[(outcome.value, outcome.capitalize()) for outcome in Outcome],
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True,
        related_name="+",
    )  # fmt: skip

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"Test of {self.connection}: {self.outcome}"

    @property
    def is_good(self) -> bool:
        """Whether the outcome is the one that was expected, or a success where none was named."""
        if self.expected_outcome:
            return self.outcome == self.expected_outcome
        return Outcome(self.outcome).is_success
