"""Forms on a test's page: make a rule from its response, or keep it as an expected response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.core.errors import DescriptionError
from connections.core.response.extractors import extractors
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Rule
from connections.core.response.suggestions import Condition
from connections.models.choices import OUTCOME_CHOICES, RULE_OUTCOME_CHOICES

_STATUS_ALONE = "status"


class RuleFromResponseForm(forms.Form):
    """One of the suggested conditions, with or without the status, and its outcome."""

    condition = forms.ChoiceField(widget=forms.RadioSelect, label="When")
    status = forms.CharField(
        required=False, max_length=100, help_text="Empty: whatever the status.",
        widget=forms.TextInput(attrs={"size": 12}),
    )  # fmt: skip
    outcome = forms.ChoiceField(choices=RULE_OUTCOME_CHOICES, label="it means")

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        conditions: Sequence[Condition],
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, auto_id="rule_%s", initial=initial)
        self._conditions = conditions
        choices = [(str(index), _describe(condition)) for index, condition in enumerate(conditions)]
        field = self.fields["condition"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is declared above.
        field.choices = [*choices, (_STATUS_ALONE, "the status alone")]
        if not conditions:
            self.initial["condition"] = _STATUS_ALONE

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"condition", "outcome"} <= set(cleaned):
            try:
                self.build_rule()
            except DescriptionError as error:
                raise ValidationError(error.message) from error
        return cleaned

    def build_rule(self) -> Rule:
        """Return the rule that was chosen; raise DescriptionError if its status is wrong."""
        chosen = self.cleaned_data["condition"]
        condition = Condition() if chosen == _STATUS_ALONE else self._conditions[int(chosen)]
        outcome = Outcome(self.cleaned_data["outcome"])
        return condition.build_rule(self.cleaned_data.get("status", ""), outcome)


class KeepResponseForm(forms.Form):
    """A name for the response, and the outcome that it should have."""

    name = forms.CharField(max_length=200)
    outcome = forms.ChoiceField(choices=OUTCOME_CHOICES, label="should be read as")

    def __init__(
        self, data: Mapping[str, Any] | None, *, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, auto_id="keep_%s", initial=initial)


def _describe(condition: Condition) -> str:
    part = extractors[condition.where].label if condition.where == "text" else condition.path
    return f"{part} exists" if not condition.value else f"{part} equals “{condition.value}”"
