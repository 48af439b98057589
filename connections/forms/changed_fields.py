"""Changed columns of the connection's form, and whether a change invalidates earlier tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.forms import BaseForm
from django.forms.models import BaseInlineFormSet

from connections.forms.authorization import authorization_field_names
from connections.forms.limits import make_limit_fields
from connections.models import Connection

_COLUMNS_WITHOUT_EFFECT = {"name", "documentation"}
"""Columns that change neither requests nor the classification: earlier tests still count."""

_FORMSETS_WITHOUT_EFFECT = {"technical_contacts"}
_CREDENTIAL_COLUMNS = ("authorization_settings", "secrets")


def changed_columns(form: BaseForm) -> list[str]:
    """Return the columns to save; `changed_at` is one where the change invalidates tests."""
    columns = dict.fromkeys(column for field in form.changed_data for column in _get_columns(field))
    if set(columns) - _COLUMNS_WITHOUT_EFFECT:
        columns["changed_at"] = None
    return list(columns)


def invalidates_tests(formsets: Iterable[BaseInlineFormSet[Any, Any, Any]]) -> bool:
    """Return whether a changed row has an effect on requests or on the classification."""
    return any(
        formset.has_changed()
        for formset in formsets
        if formset.prefix not in _FORMSETS_WITHOUT_EFFECT
    )


def _get_columns(field: str) -> tuple[str, ...]:
    """Return the columns that the form field is stored in."""
    if field == "authorization_kind":
        return (field, *_CREDENTIAL_COLUMNS)
    if field == "credentials" or field in authorization_field_names():
        return _CREDENTIAL_COLUMNS
    if field in make_limit_fields():
        return ("limits",)
    is_column = field in {column.name for column in Connection._meta.fields}
    return (field,) if is_column else ()
