"""A field for a list of durations in seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


class SecondsListField(forms.CharField):
    """Several numbers of seconds, separated by commas: 0, 5, 30."""

    def to_python(self, value: object) -> Any:  # noqa: ANN401 - a CharField returns a text.
        text = super().to_python(value) or ""
        parts = [part for part in re.split(r"[,;\s]+", text) if part]
        try:
            return [_parse_seconds(part) for part in parts]
        except ValueError:
            raise ValidationError(
                "Write seconds with commas between them: 0, 5, 30, 120."
            ) from None

    def prepare_value(self, value: object) -> object:
        if isinstance(value, (list, tuple)):
            return ", ".join(f"{seconds:g}" for seconds in value)
        return value

    def has_changed(self, initial: Iterable[float] | None, data: object) -> bool:
        try:
            return bool(list(initial or []) != self.to_python(data))
        except ValidationError:
            return True


def _parse_seconds(text: str) -> float:
    """Return the number, as an int where it is whole; raise ValueError if it is no duration."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return int(number) if number.is_integer() else number
