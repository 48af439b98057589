"""The input for a secret, and the texts that stand in for a saved one."""

from __future__ import annotations

from django import forms

KEEP_HELP = "Saved. Leave empty to keep it."
HIDDEN_VALUE = "••••••••"


def make_secret_input() -> forms.Widget:
    """Return an input that never renders its value, and that browsers neither fill in nor save."""
    return forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"})
