"""The forms of a connection's endpoints: one row for each environment, an empty URL means none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet

from connections.core.spec import Environment
from connections.forms.authorization import declared_settings, fill_setting_fields, setting_field
from connections.forms.key_value_fields import CredentialChanges, CredentialsField
from connections.models import Endpoint
from connections.models.connections import CREDENTIALS_PREFIX


def make_endpoint_form() -> type[forms.ModelForm]:  # type: ignore[type-arg]
    """The form with a field for every setting that an environment may have of its own."""
    fields = {name: setting_field(setting) for name, _, setting in _own_settings()}
    for field in fields.values():
        field.initial = ""
    return type("EndpointForm", (_EndpointForm,), fields)


class _EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """The endpoint of one environment, and its own credentials where they differ."""

    credentials = CredentialsField(label="Named credentials")
    forget_secrets = forms.BooleanField(label="Use the common credentials again", required=False)

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
        self.fields["credentials"].widget.saved = _named(saved)
        fill_setting_fields(self.fields, self._kind(), saved, saved)

    def own_fields(self) -> Iterator[tuple[str, forms.BoundField]]:
        """The fields of an environment's own credentials, each with its kind of authorization."""
        for name, kind, _ in _own_settings():
            yield kind, self[name]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is None and self.has_changed() and not cleaned.get("url"):
            self.add_error("url", "Enter the URL to which these credentials belong.")
        saved = {} if cleaned.get("forget_secrets") else self.instance.secrets
        named = {name: saved[f"{CREDENTIALS_PREFIX}{name}"] for name in _named(saved)}
        changes = cleaned.get("credentials") or CredentialChanges()
        self.instance.secrets = {
            **self._own(saved),
            **{f"{CREDENTIALS_PREFIX}{name}": v for name, v in changes.applied_to(named).items()},
        }
        return cleaned

    def _post_clean(self) -> None:
        # A row without a URL is going to be taken away, so it need not be right.
        if self.cleaned_data.get("url"):
            super()._post_clean()  # type: ignore[misc]

    def _own(self, saved: dict[str, str]) -> dict[str, str]:
        own = {}
        for name, kind, setting in _own_settings():
            if kind == self._kind():
                kept = saved.get(setting.name, "") if setting.is_secret else ""
                own[setting.name] = self.cleaned_data.get(name) or kept
        return {name: value for name, value in own.items() if value}

    def _kind(self) -> str:
        """The authorization that is chosen in the same page, or else the one that is saved."""
        posted = self.data.get("authorization_kind", "") if self.is_bound else ""
        has_connection = self.instance.connection_id is not None
        return posted or (self.instance.connection.authorization_kind if has_connection else "")


class EndpointFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """Always three rows; emptying the URL of a saved one takes it away."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every formset.
        super().__init__(*args, **kwargs)
        described = {row.environment for row in self.get_queryset()}
        missing = [name for name in Environment if name not in described]
        self.initial_extra = [{"environment": name.value} for name in missing]
        self.extra = len(missing)

    def by_environment(self) -> list[forms.ModelForm]:  # type: ignore[type-arg]
        """The rows in the order of the environments."""
        order = list(Environment)
        return sorted(self.forms, key=lambda form: order.index(form["environment"].value()))

    def _should_delete_form(self, form: forms.ModelForm) -> bool:  # type: ignore[type-arg]
        url = getattr(form, "cleaned_data", {}).get("url")
        has_url_error = "url" in form.errors
        is_emptied = form.instance.pk is not None and not url and not has_url_error
        return is_emptied or bool(super()._should_delete_form(form))  # type: ignore[misc]


def _own_settings() -> Iterator[tuple[str, str, Any]]:
    return (found for found in declared_settings() if not found[2].choices)


def _named(secrets: dict[str, str]) -> list[str]:
    names = (name for name in secrets if name.startswith(CREDENTIALS_PREFIX))
    return sorted(name.removeprefix(CREDENTIALS_PREFIX) for name in names)
