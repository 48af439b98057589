"""Which columns a person has changed, and whether the connection is another one by that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connections.forms.authorization import authorization_field_names
from connections.forms.limits import limit_fields
from connections.models import Connection

_NAMES_ONLY = {"name", "documentation"}
"""Columns that say nothing about requests and answers: earlier tests still count."""

_UNDESCRIBING = {"technical_contacts"}
_CREDENTIAL_COLUMNS = ("authorization_settings", "secrets")


def changed_columns(form: Any) -> list[str]:  # noqa: ANN401 - the connection's form.
    """The columns to save, `changed_at` among them where the description has changed."""
    columns = dict.fromkeys(column for field in form.changed_data for column in _columns_of(field))
    if set(columns) - _NAMES_ONLY:
        columns["changed_at"] = None
    return list(columns)


def is_described_anew(formsets: Iterable[Any]) -> bool:
    """Whether a row was changed that says something about requests or answers."""
    return any(formset.has_changed() for formset in formsets if formset.prefix not in _UNDESCRIBING)


def _columns_of(field: str) -> tuple[str, ...]:
    if field == "authorization_kind":
        return (field, *_CREDENTIAL_COLUMNS)
    if field == "credentials" or field in authorization_field_names():
        return _CREDENTIAL_COLUMNS
    if field in limit_fields():
        return ("limits",)
    is_column = field in {column.name for column in Connection._meta.fields}
    return (field,) if is_column else ()
