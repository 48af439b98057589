"""One form field for each setting that a kind of authorization declares; secrets are write-only.

A new kind has its fields already. Must not know rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django import forms

from connections.core.registry import Setting
from connections.core.request.authorization import authorizations

KEEP_HELP = "Saved. Leave empty to keep it."


def authorization_field_names() -> list[str]:
    """The names of the fields for all settings, in the order of the kinds."""
    return [name for name, _, _ in declared_settings()]


def declared_settings() -> Iterator[tuple[str, str, Setting]]:
    """The name of the field, the kind and the setting, for every setting of every kind."""
    for kind in authorizations:
        for setting in kind.settings():
            yield f"{kind.kind}__{setting.name}", kind.kind, setting


def setting_fields() -> dict[str, forms.Field]:
    """The fields of all settings by name."""
    return {name: setting_field(setting) for name, _, setting in declared_settings()}


def setting_field(setting: Setting) -> forms.Field:
    """The field of one setting."""
    if setting.choices:
        return forms.ChoiceField(
            label=setting.label, choices=setting.choices, required=False, help_text=setting.help
        )
    return forms.CharField(
        label=setting.label,
        required=False,
        widget=secret_input() if setting.is_secret else forms.TextInput(),
        help_text=setting.help,
        initial=setting.default,
        strip=not setting.is_secret,
    )


def secret_input() -> forms.Widget:
    """An input whose value is never sent back, and that no browser fills in or offers to save."""
    return forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"})


def fill_setting_fields(
    fields: Mapping[str, forms.Field],
    kind: str,
    plain: Mapping[str, str],
    secret: Mapping[str, str],
) -> None:
    """Show what is saved for this kind; of a secret only that it is saved."""
    for name, of_kind, setting in declared_settings():
        if name not in fields or of_kind != kind:
            continue
        if setting.is_secret and secret.get(setting.name):
            fields[name].help_text = f"{setting.help} {KEEP_HELP}".strip()
            fields[name].widget.attrs["placeholder"] = "••••••••"
        elif not setting.is_secret:
            fields[name].initial = plain.get(setting.name, fields[name].initial)
