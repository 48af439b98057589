"""Choices of the models' fields, from the enums and registries of the core.

Those of a registry are functions, so that a new entry needs no migration.
"""

from __future__ import annotations

from connections.core.attributes import AttributeType, CampaignKind
from connections.core.request.authorization import authorizations
from connections.core.request.bodies import EmptyValues, body_encodings
from connections.core.request.spec import METHODS, Environment
from connections.core.response.extractors import extractors
from connections.core.response.operators import operators
from connections.core.response.outcomes import RULE_OUTCOMES, Outcome
from connections.core.response.retry_after import RetryAfterUnit
from connections.core.spec import OnUnknown

ATTRIBUTE_TYPE_CHOICES = [(kind.value, kind.value.capitalize()) for kind in AttributeType]
CAMPAIGN_KIND_CHOICES = [(kind.value, kind.label) for kind in CampaignKind]
EMPTY_VALUES_CHOICES = [(choice.value, choice.value.capitalize()) for choice in EmptyValues]
ENVIRONMENT_CHOICES = [(choice.value, choice.value.capitalize()) for choice in Environment]
METHOD_CHOICES = [(method, method) for method in METHODS]
ON_UNKNOWN_CHOICES = [
    (OnUnknown.RETRY.value, "Send again"),
    (OnUnknown.HOLD.value, "Hold for a person"),
]
OUTCOME_CHOICES = [(outcome.value, outcome.value.capitalize()) for outcome in Outcome]
RETRY_AFTER_PLACE_CHOICES = [("header", "Header"), ("json", "JSON path"), ("xpath", "XPath")]
RETRY_AFTER_UNIT_CHOICES = [(unit.value, unit.value.capitalize()) for unit in RetryAfterUnit]
RULE_OUTCOME_CHOICES = [(outcome.value, outcome.value.capitalize()) for outcome in RULE_OUTCOMES]


def authorization_choices() -> list[tuple[str, str]]:
    """Return the kinds of authorization with their labels."""
    return [(kind.kind, kind.label) for kind in authorizations]


def encoding_choices() -> list[tuple[str, str]]:
    """Return the body encodings with their labels."""
    return [(kind.kind, kind.label) for kind in body_encodings]


def extractor_choices() -> list[tuple[str, str]]:
    """Return the extractors of rules with their labels."""
    return [(name, extractor.label) for name, extractor in extractors.items()]


def operator_choices() -> list[tuple[str, str]]:
    """Return the operators of rules with their labels."""
    return [(name, operator.label) for name, operator in operators.items()]
