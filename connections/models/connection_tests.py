"""Connection tests: exchanges of the Test button, kept apart from real deliveries."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connections.models.choices import ENVIRONMENT_CHOICES, OUTCOME_CHOICES
from connections.models.connections import Connection
from connections.models.exchanges import ExchangeRecord
from connections.models.querysets import ScopedQuerySet


class ConnectionTestQuerySet(ScopedQuerySet["ConnectionTest"]):
    """Querysets for connection tests."""

    account_path = "connection__account"


class ConnectionTest(ExchangeRecord):
    """One test: the exchange, its outcome, and whether the outcome was the expected one."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tests")
    environment = models.CharField(max_length=16, choices=ENVIRONMENT_CHOICES)
    connection_changed_at = models.DateTimeField(
        null=True, editable=False,
        help_text="The connection's `changed_at` as the test read it: what exactly was tested.",
    )  # fmt: skip
    attributes = models.JSONField(default=dict)
    expected_outcome = models.CharField(max_length=16, blank=True, choices=OUTCOME_CHOICES)
    is_good = models.BooleanField(
        "as expected", default=False, help_text="The outcome is the expected one."
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True,
        related_name="+",
    )  # fmt: skip

    objects = ConnectionTestQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"Test of {self.connection}: {self.outcome}"
