"""The form of a connection's own columns; the rows that belong to it have separate forms."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms

from connections.core.attributes import CATALOGUE, Catalogue
from connections.core.errors import DescriptionError
from connections.core.request.authorization import authorizations
from connections.forms.authorization import (
    declared_settings,
    fill_setting_fields,
    make_setting_fields,
)
from connections.forms.fields.attributes import RequiredAttributesField, SamplesField
from connections.forms.fields.document import DocumentField
from connections.forms.fields.key_value import CredentialChanges, CredentialsField, HeadersField
from connections.forms.limits import LIMIT_PREFIX, build_limits, make_limit_fields
from connections.forms.validation import ValidatedModelForm
from connections.mapping.validation import validate_connection
from connections.models import Account, Connection
from connections.models.choices import OUTCOME_CHOICES
from connections.models.connections import CREDENTIALS_PREFIX

_CODE = {"spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}


def make_connection_form() -> type[forms.ModelForm[Connection]]:
    """Return the form class with a field for every setting that is registered now."""
    fields = {**make_setting_fields(), **make_limit_fields()}
    return type("ConnectionForm", (_ConnectionForm,), fields)


class _ConnectionForm(ValidatedModelForm):
    """The part of the form that is the same for every kind of authorization."""

    validate_row = staticmethod(validate_connection)

    headers = HeadersField(
        example="Accept",
        help_text="Sent with every request; values may hold placeholders.",
    )
    credentials = CredentialsField(
        label="Named credentials",
        help_text="For use in the body, headers and endpoint: {{ credentials.api_key }}. "
        "They are never shown again.",
    )
    required_attributes = RequiredAttributesField(
        help_text="A referral without one of these is never sent.",
    )
    sample_attributes = SamplesField(
        help_text="What tests and the preview send. An empty field takes the example beside it.",
    )

    class Meta:
        model = Connection
        fields = "__all__"
        field_classes = {
            "documentation": partial(forms.URLField, assume_scheme="https"),
            "document": DocumentField,
        }
        widgets = {
            "name": forms.TextInput(attrs={"placeholder": "Mailchimp: newsletter"}),
            "documentation": forms.URLInput(attrs={"placeholder": "https://"}),
            "document": forms.Textarea(attrs={"rows": 16, "wrap": "off", **_CODE}),
            "content_type": forms.TextInput(attrs=_CODE),
            "idempotency_header": forms.TextInput(attrs=_CODE),
            "reason_path": forms.TextInput(attrs={"placeholder": "detail", **_CODE}),
            "reference_path": forms.TextInput(attrs={"placeholder": "id", **_CODE}),
            "wait_path": forms.TextInput(attrs=_CODE),
        }
        labels = {
            "content_type": "Content-Type",
            "idempotency_header": "Idempotency header",
            "reason_path": "Reason",
            "reference_path": "Reference",
            "wait_where": "Where it says so",
            "wait_path": "Path or header",
            "wait_unit": "In",
            "test_environment": "Send tests to",
            "expected_test_outcome": "Expected outcome",
        }
        help_texts = {
            "idempotency_header": "Carries the same value in every attempt of a delivery. "
            "Empty: it is not sent.",
            "reason_path": "JSON path or XPath of the CRM's explanation.",
            "reference_path": "JSON path or XPath of the CRM's own id for the person.",
            "empty_values": "What happens to a placeholder whose attribute is empty.",
            "expected_test_outcome": "",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every form.
        super().__init__(*args, **kwargs)
        saved = self.instance
        fill_setting_fields(
            self.fields, saved.authorization_kind, saved.authorization_settings, saved.secrets
        )
        for name, value in saved.limits.items():
            if f"{LIMIT_PREFIX}{name}" in self.fields:
                self.fields[f"{LIMIT_PREFIX}{name}"].initial = value
        expected = self.fields.get("expected_test_outcome")
        if isinstance(expected, forms.ChoiceField):
            expected.choices = [("", "Delivered or duplicate"), *OUTCOME_CHOICES]
        if "credentials" in self.fields:
            self.fields["credentials"].widget.saved = self.saved_credentials()
        for field in self.fields.values():
            if isinstance(field, (RequiredAttributesField, SamplesField)):
                field.set_catalogue(self.catalogue)

    @property
    def catalogue(self) -> Catalogue:
        """The attributes of the chosen account; without one, those that all accounts have."""
        if not hasattr(self, "_catalogue"):
            account = self._get_account()
            self._catalogue: Catalogue = account.catalogue() if account else CATALOGUE
        return self._catalogue

    def _get_account(self) -> Account | None:
        """Return the saved account, or else the one that is chosen in the form."""
        saved: Account | None = self.instance.account if self.instance.account_id else None
        field = self.fields.get("account")
        if saved or not isinstance(field, forms.ModelChoiceField) or field.queryset is None:
            return saved
        chosen = self.data.get("account") if self.is_bound else self.initial.get("account")
        pk = str(getattr(chosen, "pk", chosen) or "")
        # Only among the field's choices: people may not see another account's attributes.
        return field.queryset.filter(pk=pk).first() if pk.isdecimal() else None

    def saved_credentials(self) -> list[str]:
        """Return the names of the saved credentials."""
        return sorted(
            name.removeprefix(CREDENTIALS_PREFIX)
            for name in self.instance.secrets
            if name.startswith(CREDENTIALS_PREFIX)
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("authorization_kind", "")
        settings, secrets = self._entered_settings(kind)
        try:
            authorizations[kind].from_settings({**settings, **secrets})
        except DescriptionError as error:
            field = f"{kind}__{error.field}"
            self.add_error(field if field in self.fields else "authorization_kind", error.message)
        self.instance.authorization_settings = settings
        self.instance.secrets = {**secrets, **self._named_credentials()}
        self.instance.limits = build_limits(cleaned)
        return cleaned

    def _entered_settings(self, kind: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the kind's settings and secrets; add an error for each secret that is missing."""
        settings, secrets = {}, {}
        for name, of_kind, setting in declared_settings():
            value = self.cleaned_data.get(name, "")
            if of_kind != kind:
                continue
            if not setting.is_secret:
                settings[setting.name] = value or setting.default
            elif value or self.instance.secrets.get(setting.name):
                secrets[setting.name] = value or self.instance.secrets[setting.name]
            else:
                self.add_error(name, f"{setting.label} is needed.")
        return settings, secrets

    def _named_credentials(self) -> dict[str, str]:
        saved = {
            name: self.instance.secrets[f"{CREDENTIALS_PREFIX}{name}"]
            for name in self.saved_credentials()
        }
        changes = self.cleaned_data.get("credentials") or CredentialChanges()
        return {
            f"{CREDENTIALS_PREFIX}{name}": value for name, value in changes.apply_to(saved).items()
        }
