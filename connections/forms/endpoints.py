"""Forms of a connection's endpoints: one row for each environment; an empty URL means none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet

from connections.core.request.spec import Environment
from connections.forms.authorization import (
    DeclaredSetting,
    declared_settings,
    fill_setting_fields,
    make_setting_field,
)
from connections.forms.fields.key_value import CredentialChanges, CredentialsField
from connections.forms.validation import ValidatedModelForm
from connections.mapping.validation import validate_endpoint
from connections.models import Endpoint
from connections.models.connections import CREDENTIALS_PREFIX


def make_endpoint_form() -> type[forms.ModelForm[Endpoint]]:
    """Return the form class with a field for every setting that an environment may override."""
    fields = {name: make_setting_field(setting) for name, _, setting in _own_settings()}
    for field in fields.values():
        field.initial = ""
    return type("EndpointForm", (_EndpointForm,), fields)


class _EndpointForm(ValidatedModelForm):
    """The endpoint of one environment, and its own credentials where they differ."""

    validate_row = staticmethod(validate_endpoint)

    credentials = CredentialsField(label="Named credentials")
    use_common_credentials = forms.BooleanField(
        label="Use the common credentials again", required=False
    )

    class Meta:
        model = Endpoint
        fields = ["environment", "url"]
        widgets = {
            "environment": forms.HiddenInput(),
            "url": forms.TextInput(
                attrs={"placeholder": "https://", "spellcheck": "false", "inputmode": "url"}
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every form.
        super().__init__(*args, **kwargs)
        self.fields["url"].required = False
        saved = self.instance.secrets
        self.fields["credentials"].widget.saved = _credential_names(saved)
        fill_setting_fields(self.fields, self._get_kind(), saved, saved)

    def own_fields(self) -> Iterator[tuple[str, forms.BoundField]]:
        """Yield the fields of the environment's own credentials, each with its kind."""
        for name, kind, _ in _own_settings():
            yield kind, self[name]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is None and self.has_changed() and not cleaned.get("url"):
            self.add_error("url", "Enter the URL to which these credentials belong.")
        saved = {} if cleaned.get("use_common_credentials") else self.instance.secrets
        named = {name: saved[f"{CREDENTIALS_PREFIX}{name}"] for name in _credential_names(saved)}
        changes = cleaned.get("credentials") or CredentialChanges()
        named = changes.apply_to(named)
        self.instance.secrets = {
            **self._own_secrets(saved),
            **{f"{CREDENTIALS_PREFIX}{name}": value for name, value in named.items()},
        }
        return cleaned

    def _post_clean(self) -> None:
        # A row without a URL is deleted, so it need not be valid.
        if self.cleaned_data.get("url"):
            super()._post_clean()

    def _own_secrets(self, saved: Mapping[str, str]) -> dict[str, str]:
        own = {}
        for name, kind, setting in _own_settings():
            if kind == self._get_kind():
                kept = saved.get(setting.name, "") if setting.is_secret else ""
                own[setting.name] = self.cleaned_data.get(name) or kept
        return {name: value for name, value in own.items() if value}

    def _get_kind(self) -> str:
        """Return the kind of authorization that is chosen on the page, or else the saved one."""
        posted = self.data.get("authorization_kind", "") if self.is_bound else ""
        has_connection = self.instance.connection_id is not None
        return posted or (self.instance.connection.authorization_kind if has_connection else "")


class EndpointFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # Not generic at run time.
    """One row for each environment; a saved row whose URL is emptied is deleted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every formset.
        super().__init__(*args, **kwargs)
        described = {row.environment for row in self.get_queryset()}
        missing = [name for name in Environment if name not in described]
        self.initial_extra = [{"environment": name.value} for name in missing]
        self.extra = len(missing)

    def by_environment(self) -> list[forms.ModelForm[Endpoint]]:
        """Return the rows in the order of the environments."""
        order = list(Environment)
        return sorted(self.forms, key=lambda form: order.index(form["environment"].value()))

    def _should_delete_form(self, form: forms.ModelForm[Endpoint]) -> bool:
        url = getattr(form, "cleaned_data", {}).get("url")
        has_url_error = "url" in form.errors
        is_emptied = form.instance.pk is not None and not url and not has_url_error
        return is_emptied or bool(super()._should_delete_form(form))  # type: ignore[misc]


def _own_settings() -> Iterator[DeclaredSetting]:
    return (declared for declared in declared_settings() if not declared.setting.choices)


def _credential_names(secrets: Mapping[str, str]) -> list[str]:
    names = (name for name in secrets if name.startswith(CREDENTIALS_PREFIX))
    return sorted(name.removeprefix(CREDENTIALS_PREFIX) for name in names)
