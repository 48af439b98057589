"""Forms of a response rule and of an expected response."""

from __future__ import annotations

from typing import Any

from django import forms

from connections.forms.fields.document import DocumentField
from connections.forms.fields.key_value import HeadersField
from connections.forms.validation import ValidatedModelForm
from connections.mapping.validation import validate_rule
from connections.models import ExpectedResponse, ResponseRule

LAST_POSITION = 9_999
"""The position of a new rule without a number; saving then numbers all rules from 1."""

_CODE = {"spellcheck": "false", "autocomplete": "off"}


class RuleForm(ValidatedModelForm):
    """One rule; without a number it is the last."""

    validate_row = staticmethod(validate_rule)

    position = forms.IntegerField(required=False, min_value=0, max_value=LAST_POSITION)

    class Meta:
        model = ResponseRule
        fields = [
            "position", "status", "where", "path", "operator", "value", "ignore_case", "outcome",
        ]  # fmt: skip
        field_classes = {"value": DocumentField}
        help_texts = {"status": "", "value": ""}
        widgets = {
            "status": forms.TextInput(attrs={"placeholder": "any", **_CODE}),
            "path": forms.TextInput(attrs={"placeholder": "title", **_CODE}),
            "value": forms.Textarea(attrs={"rows": 1, **_CODE}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every form.
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            # The model's 0 would put every new rule first.
            self.initial.pop("position", None)

    def clean_position(self) -> int:
        """Return the number that was entered, or else the last position."""
        position = self.cleaned_data.get("position")
        return LAST_POSITION if position is None else int(position)


class ExpectedResponseForm(forms.ModelForm):  # type: ignore[type-arg] # Not generic at run time.
    """One documented response."""

    headers = HeadersField(example="Content-Type")

    class Meta:
        model = ExpectedResponse
        fields = ["name", "status", "outcome", "headers", "body"]
        field_classes = {"body": DocumentField}
        widgets = {
            "name": forms.TextInput(attrs={"placeholder": "Already a member"}),
            "status": forms.NumberInput(attrs={"min": 100, "max": 599}),
            "body": forms.Textarea(attrs={"rows": 4, **_CODE}),
        }
