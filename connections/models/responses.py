"""What a connection's answers mean: its rules, and the documented answers that they must fit."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from connections.core.errors import DescriptionError
from connections.core.response.extractors import extractors
from connections.core.response.operators import operators
from connections.core.response.outcomes import RULE_OUTCOMES, Outcome
from connections.core.response.rules import Rule
from connections.core.spec import ExpectedResponse as ExpectedResponseValue
from connections.models.connections import Connection

_RULE_FIELDS = {"status", "where", "path", "operator", "value", "outcome"}


def extractor_choices() -> list[tuple[str, str]]:
    """Callable, so that a new place needs no migration."""
    return [(name, place.label) for name, place in extractors.items()]


def operator_choices() -> list[tuple[str, str]]:
    """Callable, so that a new operator needs no migration."""
    return [(name, operator.label) for name, operator in operators.items()]


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
    outcome = models.CharField(
        max_length=16, choices=[(outcome.value, outcome.capitalize()) for outcome in RULE_OUTCOMES]
    )

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="", where=""), name="rule_has_a_condition"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=[one.value for one in RULE_OUTCOMES]),
                name="rule_outcome_is_known",
            ),
        ]

    def __str__(self) -> str:
        try:
            return str(self.to_domain())
        except DescriptionError as error:
            return str(error)

    def clean(self) -> None:
        """Refuse what is no rule, naming the field."""
        try:
            self.to_domain()
        except DescriptionError as error:
            field = error.field if error.field in _RULE_FIELDS else "status"
            raise ValidationError({field: error.message}) from error
        except ValueError as error:
            raise ValidationError({"outcome": "Choose what the answer means."}) from error

    @classmethod
    def from_domain(cls, rule: Rule, *, connection: Connection, position: int) -> ResponseRule:
        """The row, not saved, that has this rule as its value."""
        return cls(
            connection=connection,
            position=position,
            status=rule.status,
            where=rule.where,
            path=rule.path,
            operator=rule.operator,
            value="\n".join(rule.value),
            ignore_case=rule.ignore_case,
            outcome=rule.outcome.value,
        )

    def to_domain(self) -> Rule:
        """The rule as the core's own kind of value; raises DescriptionError."""
        values = self.value.splitlines() if self.operator == "one_of" else [self.value]
        return Rule(
            outcome=Outcome(self.outcome),
            status=self.status,
            where=self.where,
            path=self.path,
            operator=self.operator,
            value=tuple(filter(None, values)),
            ignore_case=self.ignore_case,
        )


class ExpectedResponse(models.Model):
    """One answer from the CRM's documentation, and the outcome it should have."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="expected_responses"
    )
    name = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField(default=200)
    headers = models.JSONField(default=dict, blank=True)
    body = models.TextField(blank=True)
    outcome = models.CharField(
        max_length=16, choices=[(outcome.value, outcome.capitalize()) for outcome in Outcome]
    )

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
                condition=models.Q(outcome__in=[one.value for one in Outcome]),
                name="expected_response_outcome_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"

    def to_domain(self) -> ExpectedResponseValue:
        """The answer as the core's own kind of value."""
        return ExpectedResponseValue(
            name=self.name,
            status=self.status,
            headers=tuple(self.headers.items()),
            body=self.body,
            outcome=Outcome(self.outcome),
        )
