"""A field for each limit of a connection; together they are one table in the row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.core.spec import Limits

PREFIX = "limit_"
_SCHEDULE = "schedule"


class SecondsListField(forms.CharField):
    """Several numbers of seconds with commas: 0, 5, 30."""

    def to_python(self, value: Any) -> Any:  # noqa: ANN401
        text = super().to_python(value) or ""
        parts = [part for part in re.split(r"[,;\s]+", text) if part]
        try:
            return [_number(part) for part in parts]
        except ValueError:
            raise ValidationError(
                "Write seconds with commas between them: 0, 5, 30, 120."
            ) from None

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401
        is_list = isinstance(value, (list, tuple))
        return ", ".join(f"{item:g}" for item in value) if is_list else value

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401
        try:
            return bool(list(initial or []) != self.to_python(data))
        except ValidationError:
            return True


def limit_fields() -> dict[str, forms.Field]:
    """The fields of all limits by name."""
    return {
        f"{PREFIX}total_timeout": _seconds(
            "Time limit", f"Seconds for one attempt; {Limits().total_timeout:g} if empty."
        ),
        f"{PREFIX}in_flight": forms.IntegerField(
            label="Requests at once", required=False, min_value=1,
            help_text="No limit if empty.",
        ),
        f"{PREFIX}per_second": _seconds("Requests a second", "No limit if empty."),
        f"{PREFIX}max_age": _seconds(
            "Give up after", "Seconds since the referral came in; the schedule's end if empty."
        ),
        f"{PREFIX}{_SCHEDULE}": SecondsListField(
            label="Schedule", required=False,
            help_text="Seconds before each attempt: 0, 5, 30, 120; the product's own if empty.",
        ),
    }  # fmt: skip


def limits_from(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The table of limits that the fields make: those that are not empty."""
    given = {name: cleaned.get(f"{PREFIX}{name}") for name in Limits.__slots__}
    return {name: value for name, value in given.items() if value not in (None, "", [])}


def _seconds(label: str, help_text: str) -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, min_value=0.001, help_text=help_text,
        widget=forms.NumberInput(attrs={"step": "any", "min": "0"}),
    )  # fmt: skip


def _number(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return int(number) if number.is_integer() else number
