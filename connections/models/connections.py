"""Connections: how to reach one CRM and how to classify its responses."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from connections.core.request.bodies import EmptyValues
from connections.core.request.spec import METHODS, Environment
from connections.core.response.retry_after import RetryAfterUnit
from connections.core.spec import OnUnknown
from connections.models.accounts import Account
from connections.models.choices import (
    EMPTY_VALUES_CHOICES,
    ENVIRONMENT_CHOICES,
    METHOD_CHOICES,
    ON_UNKNOWN_CHOICES,
    OUTCOME_CHOICES,
    RETRY_AFTER_PLACE_CHOICES,
    RETRY_AFTER_UNIT_CHOICES,
    authorization_choices,
    encoding_choices,
)
from connections.models.fields import EncryptedJSONField
from connections.models.querysets import ScopedQuerySet
from connections.models.tested import newest_test_is_good

CREDENTIALS_PREFIX = "credentials."
"""The prefix of named credentials in the dictionary of the authorization's secrets."""


class ConnectionQuerySet(ScopedQuerySet["Connection"]):
    """Querysets for connections."""

    def tested(self) -> ConnectionQuerySet:
        """Return those whose newest test since their last change was good."""
        return self.filter(newest_test_is_good(self.model))

    def with_is_tested(self) -> ConnectionQuerySet:
        """Annotate each with `is_tested`, so that a list needs no query for each row."""
        # Declared on the model too, as lists pass the rows on to code that knows only the model.
        return self.annotate(is_tested=newest_test_is_good(self.model))  # type: ignore[no-redef]

    def with_everything(self) -> ConnectionQuerySet:
        """Prefetch all rows that a spec and the account's catalogue are built from."""
        return self.select_related("account").prefetch_related(
            "endpoints", "response_rules", "expected_responses", "account__custom_attributes"
        )


class Connection(models.Model):
    """How to reach one CRM and how to classify its responses."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        HELD = "held", "Held"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="connections")
    name = models.CharField(max_length=200)
    documentation = models.URLField(
        "API documentation", max_length=500, blank=True,
        help_text="Where the CRM describes how to create subscribers.",
    )  # fmt: skip
    method = models.CharField(max_length=8, choices=METHOD_CHOICES, default="POST")
    authorization_kind = models.CharField(
        "authorization", max_length=64, choices=authorization_choices, default="none"
    )
    authorization_settings = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField()
    headers = models.JSONField(default=dict, blank=True, help_text='{"Accept": "application/json"}')
    encoding = models.CharField(
        "body encoding", max_length=32, choices=encoding_choices, default="json"
    )
    document = models.TextField(
        "body", blank=True,
        help_text="The CRM's sample with placeholders such as {{ email }} in place of its values.",
    )  # fmt: skip
    content_type = models.CharField(
        max_length=200, blank=True, help_text="Only if the CRM wants another than the encoding's."
    )
    required_attributes = models.JSONField(default=list, blank=True, help_text='["email"]')
    empty_values = models.CharField(
        max_length=8, choices=EMPTY_VALUES_CHOICES, default=EmptyValues.OMIT.value
    )
    idempotency_header = models.CharField(max_length=100, blank=True, default="Idempotency-Key")
    reason_path = models.CharField(max_length=500, blank=True)
    reference_path = models.CharField(max_length=500, blank=True)
    wait_where = models.CharField(max_length=16, blank=True, choices=RETRY_AFTER_PLACE_CHOICES)
    wait_path = models.CharField(max_length=500, blank=True)
    wait_unit = models.CharField(
        max_length=16, choices=RETRY_AFTER_UNIT_CHOICES, default=RetryAfterUnit.SECONDS.value
    )
    sample_attributes = models.JSONField(default=dict, blank=True)
    test_environment = models.CharField(
        max_length=16, choices=ENVIRONMENT_CHOICES, default=Environment.TESTING.value
    )
    expected_test_outcome = models.CharField(
        max_length=16, blank=True, choices=OUTCOME_CHOICES,
        help_text="Empty: delivered or duplicate.",
    )  # fmt: skip
    limits = models.JSONField(default=dict, blank=True)
    on_unknown = models.CharField(
        "after no answer",
        max_length=8,
        choices=ON_UNKNOWN_CHOICES,
        default=OnUnknown.RETRY.value,
    )
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    state_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(
        auto_now=True, help_text="When its description changed; tests from before count no more."
    )

    is_tested: bool  # Annotated by `with_is_tested`; other querysets don't set it.

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="connection_name_in_account"),
            models.CheckConstraint(
                condition=models.Q(method__in=METHODS), name="connection_method_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "paused", "held"]),
                name="connection_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("admin:connections_connection_change", args=[self.pk])
