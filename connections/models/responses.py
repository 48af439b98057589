"""Response rules of a connection, and the expected responses that they are checked with."""

from __future__ import annotations

from django.db import models

from connections.core.response.outcomes import RULE_OUTCOMES, Outcome
from connections.models.choices import (
    OUTCOME_CHOICES,
    RULE_OUTCOME_CHOICES,
    extractor_choices,
    operator_choices,
)
from connections.models.connections import Connection


class ResponseRule(models.Model):
    """One rule; the first that matches, by position, decides the outcome."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="response_rules"
    )
    position = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(
        max_length=100,
        blank=True,
        help_text="201, 2xx, 400-499, or several with commas; empty: any",
    )
    where = models.CharField(max_length=16, blank=True, choices=extractor_choices)
    path = models.CharField(max_length=500, blank=True)
    operator = models.CharField(max_length=32, blank=True, choices=operator_choices)
    value = models.TextField(blank=True, help_text="For “is one of”: one value on each line.")
    ignore_case = models.BooleanField(default=False)
    outcome = models.CharField(max_length=16, choices=RULE_OUTCOME_CHOICES)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="", where=""), name="rule_has_a_condition"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=[outcome.value for outcome in RULE_OUTCOMES]),
                name="rule_outcome_is_known",
            ),
        ]

    def __str__(self) -> str:
        parts = [f"status {self.status}"] if self.status else []
        if self.where:
            condition = (self.where, self.path, self.operator, ", ".join(self.values()))
            parts.append(" ".join(filter(None, condition)))
        return f"{' and '.join(parts)} → {self.outcome}"

    def values(self) -> list[str]:
        """Return the values to compare with: one, or for "is one of" one from each line."""
        values = self.value.splitlines() if self.operator == "one_of" else [self.value]
        return [value for value in values if value]


class ExpectedResponse(models.Model):
    """One response from the CRM's documentation, and the outcome it should have."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="expected_responses"
    )
    name = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField(default=200)
    headers = models.JSONField(default=dict, blank=True)
    body = models.TextField(blank=True)
    outcome = models.CharField(max_length=16, choices=OUTCOME_CHOICES)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "name"], name="expected_response_name_in_connection"
            ),
            models.CheckConstraint(
                condition=models.Q(status__gte=100, status__lte=599),
                name="expected_response_status_is_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=[outcome.value for outcome in Outcome]),
                name="expected_response_outcome_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"
