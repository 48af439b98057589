"""The connection's form: one field for each setting of each authorization, secrets write-only.

The fields come from what the kinds declare, so a new kind has its form already. Must not know
pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django import forms

from connections.http.authorization import authorizations
from connections.http.errors import DescriptionError
from connections.http.kinds import Setting
from connections.models import Connection
from connections.models.connections import CREDENTIALS_PREFIX

_KEEP = "Leave empty to keep the one that is saved."


def authorization_field_names() -> list[str]:
    """The names of the fields for all settings, in the order of the kinds."""
    return [name for name, _, _ in _settings()]


def make_connection_form() -> type[forms.ModelForm]:  # type: ignore[type-arg]
    """The form with a field for every setting that is registered now."""
    fields = {name: _field(setting) for name, _, setting in _settings()}
    return type("ConnectionForm", (_ConnectionForm,), fields)


class _ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The part of the form that no kind declares."""

    credentials = forms.CharField(
        label="Named credentials",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text="One name=value on each line, for {{ credentials.name }}. They are never shown "
        "again; name= takes one away.",
    )

    class Meta:
        model = Connection
        fields = "__all__"  # noqa: DJ007 - the admin chooses the fields.
        field_classes = {"documentation": partial(forms.URLField, assume_scheme="https")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every form.
        super().__init__(*args, **kwargs)
        for name, kind, setting in _settings():
            if setting.is_secret and self.instance.secrets.get(setting.name):
                self.fields[name].help_text = f"{setting.help} {_KEEP}".strip()
            elif kind == self.instance.authorization_kind and not setting.is_secret:
                saved = self.instance.authorization_settings.get(setting.name, setting.default)
                self.fields[name].initial = saved
        saved_names = [
            name.removeprefix(CREDENTIALS_PREFIX)
            for name in self.instance.secrets
            if name.startswith(CREDENTIALS_PREFIX)
        ]
        if saved_names and "credentials" in self.fields:
            self.fields["credentials"].help_text += f" Saved: {', '.join(sorted(saved_names))}."

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("authorization_kind", "")
        settings, secrets = self._given(kind)
        try:
            authorizations[kind].from_settings({**settings, **secrets})
        except DescriptionError as error:
            self.add_error(f"{kind}__{error.field}", error.message)
        self.instance.authorization_settings = settings
        self.instance.secrets = {**secrets, **self._named_credentials()}
        return cleaned

    def _given(self, kind: str) -> tuple[dict[str, str], dict[str, str]]:
        settings, secrets = {}, {}
        for name, of_kind, setting in _settings():
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
        kept = {
            name: value
            for name, value in self.instance.secrets.items()
            if name.startswith(CREDENTIALS_PREFIX)
        }
        for line in self.cleaned_data.get("credentials", "").splitlines():
            name, _, value = line.partition("=")
            if not name.strip().isidentifier():
                self.add_error("credentials", f"{name.strip()!r} is no name; write name=value.")
            kept[f"{CREDENTIALS_PREFIX}{name.strip()}"] = value.strip()
        return {name: value for name, value in kept.items() if value}


def _settings() -> Iterator[tuple[str, str, Setting]]:
    for kind in authorizations:
        for setting in kind.settings():
            yield f"{kind.kind}__{setting.name}", kind.kind, setting


def _field(setting: Setting) -> forms.Field:
    if setting.choices:
        return forms.ChoiceField(
            label=setting.label, choices=setting.choices, required=False, help_text=setting.help
        )
    widget = (
        forms.PasswordInput(attrs={"autocomplete": "new-password"})
        if setting.is_secret
        else forms.TextInput(attrs={"class": "vTextField"})
    )
    return forms.CharField(
        label=setting.label,
        required=False,
        widget=widget,
        help_text=setting.help,
        initial=setting.default,
        strip=not setting.is_secret,
    )
