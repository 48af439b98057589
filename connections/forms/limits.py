"""Form fields for the limits of a connection, which are stored in one JSON column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from connections.core.spec import Limits
from connections.forms.fields.seconds import SecondsListField

LIMIT_PREFIX = "limit_"


def make_limit_fields() -> dict[str, forms.Field]:
    """Return the fields of all limits by name."""
    return {
        f"{LIMIT_PREFIX}total_timeout": _make_number_field(
            "Time limit", f"Seconds for one attempt; {Limits().total_timeout:g} if empty."
        ),
        f"{LIMIT_PREFIX}in_flight": forms.IntegerField(
            label="Requests at once", required=False, min_value=1,
            help_text="No limit if empty.",
        ),
        f"{LIMIT_PREFIX}per_second": _make_number_field(
            "Requests a second", "No limit if empty."
        ),
        f"{LIMIT_PREFIX}max_age": _make_number_field(
            "Give up after", "Seconds since the referral came in; the schedule's end if empty."
        ),
        f"{LIMIT_PREFIX}schedule": SecondsListField(
            label="Schedule", required=False,
            help_text="Seconds before each attempt: 0, 5, 30, 120; the product's own if empty.",
        ),
    }  # fmt: skip


def build_limits(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits that were entered, as they are stored; empty fields set none."""
    entered = {name: cleaned.get(f"{LIMIT_PREFIX}{name}") for name in Limits.__slots__}
    return {name: value for name, value in entered.items() if value not in (None, "", [])}


def _make_number_field(label: str, help_text: str) -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, min_value=0.001, help_text=help_text,
        widget=forms.NumberInput(attrs={"step": "any", "min": "0"}),
    )  # fmt: skip
