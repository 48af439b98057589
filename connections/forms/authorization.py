"""Form fields for the settings that each kind of authorization declares.

A kind that registers later gets its fields without a change here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from django import forms

from connections.core.registry import Setting
from connections.core.request.authorization import authorizations
from connections.forms.fields.secret import HIDDEN_VALUE, KEEP_HELP, make_secret_input


class DeclaredSetting(NamedTuple):
    """A setting with the kind of authorization that declares it, and the name of its field."""

    field: str
    kind: str
    setting: Setting


def declared_settings() -> Iterator[DeclaredSetting]:
    """Yield every setting of every kind, in the order of the kinds."""
    for kind in authorizations:
        for setting in kind.settings():
            yield DeclaredSetting(f"{kind.kind}__{setting.name}", kind.kind, setting)


def authorization_field_names() -> list[str]:
    """Return the names of the fields of all settings, in the order of the kinds."""
    return [declared.field for declared in declared_settings()]


def make_setting_fields() -> dict[str, forms.Field]:
    """Return the fields of all settings by name."""
    return {
        declared.field: make_setting_field(declared.setting) for declared in declared_settings()
    }


def make_setting_field(setting: Setting) -> forms.Field:
    """Return the field of one setting; that of a secret never renders its value."""
    if setting.choices:
        return forms.ChoiceField(
            label=setting.label,
            choices=setting.choices,
            required=False,
            help_text=setting.help,
            initial=setting.default,
        )
    return forms.CharField(
        label=setting.label,
        required=False,
        widget=make_secret_input() if setting.is_secret else forms.TextInput(),
        help_text=setting.help,
        initial=setting.default,
        strip=not setting.is_secret,
    )


def fill_setting_fields(
    fields: Mapping[str, forms.Field],
    kind: str,
    plain: Mapping[str, str],
    secret: Mapping[str, str],
) -> None:
    """Set the saved values of this kind as the fields' initial ones; of a secret only a hint."""
    for name, of_kind, setting in declared_settings():
        if name not in fields or of_kind != kind:
            continue
        if setting.is_secret and secret.get(setting.name):
            fields[name].help_text = f"{setting.help} {KEEP_HELP}".strip()
            fields[name].widget.attrs["placeholder"] = HIDDEN_VALUE
        elif not setting.is_secret:
            fields[name].initial = plain.get(setting.name, fields[name].initial)
