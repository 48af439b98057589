"""Connections, and the one value that a connection makes with all its parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.urls import reverse

from connections.core.attributes import CATALOGUE
from connections.core.errors import DescriptionError
from connections.core.request.authorization import authorizations
from connections.core.request.authorization.base import Authorization
from connections.core.request.bodies import EmptyValues, body_encodings
from connections.core.request.builder import RequestBuilder
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import ResponseHandling, Rule
from connections.core.spec import (
    METHODS,
    ConnectionSpec,
    Environment,
    ExpectedResponse,
    Limits,
    OnUnknown,
)
from connections.models.accounts import Account
from connections.models.fields import EncryptedJSONField
from connections.models.querysets import ConnectionQuerySet

if TYPE_CHECKING:
    from connections.models.endpoints import Endpoint

CREDENTIALS_PREFIX = "credentials."
"""Named credentials stand beside the authorization's own secrets, under this prefix."""


ENVIRONMENT_CHOICES = [(choice.value, choice.value.capitalize()) for choice in Environment]
OUTCOME_CHOICES = [(outcome.value, outcome.value.capitalize()) for outcome in Outcome]

_FORM_FIELDS = {
    "method": "method",
    "authorization": "authorization_kind",
    "headers": "headers",
    "body": "document",
    "required": "required_attributes",
    "reason": "reason_path",
    "reference": "reference_path",
    "where": "wait_where",
    "path": "wait_path",
    "limits": "limits",
    "content_type": "content_type",
    "idempotency_header": "idempotency_header",
}
"""Where a wrong part of the description stands in the row."""


def _message_at_field(field: str, error: DescriptionError) -> str:
    """The message at its field, with the part of the field that people see there, if any."""
    _, _, part = error.field.partition(".")
    if field == NON_FIELD_ERRORS:
        return str(error)
    is_known = not part or field == "document" or part in error.message
    return error.message if is_known else f"{part}: {error.message}"


def authorization_choices() -> list[tuple[str, str]]:
    """Callable, so that a new kind of authorization needs no migration."""
    return [(kind.kind, kind.label) for kind in authorizations]


def encoding_choices() -> list[tuple[str, str]]:
    """Callable, so that a new body encoding needs no migration."""
    return [(kind.kind, kind.label) for kind in body_encodings]


class Connection(models.Model):
    """How one CRM is reached and how its answers are read."""

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
    method = models.CharField(
        max_length=8, choices=[(name, name) for name in METHODS], default="POST"
    )
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
        max_length=8,
        choices=[(choice.value, choice.value.capitalize()) for choice in EmptyValues],
        default=EmptyValues.OMIT.value,
    )
    idempotency_header = models.CharField(max_length=100, blank=True, default="Idempotency-Key")
    reason_path = models.CharField(max_length=500, blank=True)
    reference_path = models.CharField(max_length=500, blank=True)
    wait_where = models.CharField(
        max_length=16, blank=True,
        choices=[("header", "Header"), ("json", "JSON path"), ("xpath", "XPath")],
    )  # fmt: skip
    wait_path = models.CharField(max_length=500, blank=True)
    wait_unit = models.CharField(
        max_length=16,
        choices=[(unit.value, unit.value.capitalize()) for unit in RetryAfterUnit],
        default=RetryAfterUnit.SECONDS.value,
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
        choices=[
            (OnUnknown.RETRY.value, "Send again"),
            (OnUnknown.HOLD.value, "Hold for a person"),
        ],
        default=OnUnknown.RETRY.value,
    )
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    state_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(
        auto_now=True, help_text="When its description changed; tests from before count no more."
    )

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

    def clean(self) -> None:
        """Refuse a description from which no request could be built, naming the field."""
        # Endpoints are rows of their own; a stand-in lets everything else be checked without them.
        stand_in = {Environment.PRODUCTION.value: "https://crm.example/"}
        try:
            secrets = {**dict.fromkeys(self._secret_names(), "stand-in"), **self.secrets}
            spec = self._spec(secrets, stand_in, reading=ResponseHandling(), expected_responses=())
            builder = RequestBuilder(spec)
            builder.check_attributes(self.account.catalogue() if self.account_id else CATALOGUE)
            self.build_response_handling()
        except DescriptionError as error:
            field = _FORM_FIELDS.get(error.field.partition(".")[0], NON_FIELD_ERRORS)
            raise ValidationError({field: _message_at_field(field, error)}) from error

    def _secret_names(self) -> list[str]:
        kind = authorizations[self.authorization_kind]
        return [setting.name for setting in kind.settings() if setting.is_secret]

    def spec(self, environment: str = Environment.PRODUCTION) -> ConnectionSpec:
        """The whole connection as one value, with the credentials of one environment.

        Raises DescriptionError naming what is wrong. Asks for endpoints, rules and expected
        responses: prefetch them where many are read.
        """
        return self.build_spec(
            environment,
            endpoints=self.endpoints.all(),
            rules=(row.to_domain() for row in self.response_rules.all()),
            expected_responses=(row.to_domain() for row in self.expected_responses.all()),
        )

    def build_spec(
        self,
        environment: str,
        *,
        endpoints: Iterable[Endpoint],
        rules: Iterable[Rule],
        expected_responses: Iterable[ExpectedResponse],
    ) -> ConnectionSpec:
        """The value that this row makes with these parts, which need not be saved anywhere."""
        by_environment = {row.environment: row for row in endpoints}
        own = by_environment[environment].secrets if environment in by_environment else {}
        return self._spec(
            {**self.secrets, **{name: value for name, value in own.items() if value}},
            {row.environment: row.url for row in by_environment.values()},
            reading=self.build_response_handling(tuple(rules)),
            expected_responses=tuple(expected_responses),
        )

    def _spec(
        self,
        secrets: dict[str, str],
        endpoints: dict[str, str],
        *,
        reading: ResponseHandling,
        expected_responses: tuple[ExpectedResponse, ...],
    ) -> ConnectionSpec:
        return ConnectionSpec(
            name=self.name,
            documentation=self.documentation,
            method=self.method,
            endpoints=endpoints,
            authorization=self._authorization(secrets),
            credentials={
                name.removeprefix(CREDENTIALS_PREFIX): value
                for name, value in secrets.items()
                if name.startswith(CREDENTIALS_PREFIX)
            },
            headers=self.headers,
            encoding=self.encoding,
            document=self.document,
            content_type=self.content_type,
            required=tuple(self.required_attributes),
            empty_values=EmptyValues(self.empty_values),
            idempotency_header=self.idempotency_header,
            reading=reading,
            expected_responses=expected_responses,
            sample=self.sample_attributes,
            limits=Limits.from_table(self.limits),
            on_unknown=OnUnknown(self.on_unknown),
        )

    def reading(self) -> ResponseHandling:
        """How answers are read: the rules in their order, and the paths."""
        return self.build_response_handling(
            tuple(row.to_domain() for row in self.response_rules.all())
        )

    def build_response_handling(self, rules: tuple[Rule, ...] = ()) -> ResponseHandling:
        """How answers are read with these rules, which need not be saved anywhere."""
        wait = None
        if self.wait_where:
            unit = RetryAfterUnit(self.wait_unit)
            wait = RetryAfter(where=self.wait_where, path=self.wait_path, unit=unit)
        return ResponseHandling(
            rules=rules, reason=self.reason_path, reference=self.reference_path, wait=wait
        )

    def _authorization(self, secrets: dict[str, str]) -> Authorization:
        own = {name: value for name, value in secrets.items() if "." not in name}
        kind = authorizations[self.authorization_kind]
        known = {setting.name for setting in kind.settings()}
        values = {**self.authorization_settings, **own}
        # Settings of a kind that was chosen before stay in the row; they are none of this kind's.
        return kind.from_settings({name: values[name] for name in values if name in known})
