"""The forms beside a test's answer: make a rule of it, or keep it as an expected response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.core.errors import DescriptionError
from connections.core.response.extractors import extractors
from connections.core.response.outcomes import RULE_OUTCOMES, Outcome
from connections.core.response.rules import Rule
from connections.core.response.suggestions import Condition

_STATUS_ALONE = "status"


class RuleFromAnswerForm(forms.Form):
    """One of the suggested conditions, with the status or without, and what it means."""

    condition = forms.ChoiceField(widget=forms.RadioSelect, label="When")
    status = forms.CharField(
        required=False, max_length=100, help_text="Empty: whatever the status.",
        widget=forms.TextInput(attrs={"size": 12}),
    )  # fmt: skip
    outcome = forms.ChoiceField(
        choices=[(outcome.value, outcome.capitalize()) for outcome in RULE_OUTCOMES],
        label="it means",
    )

    def __init__(self, data: Any, *, conditions: Sequence[Condition], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(data, auto_id="rule_%s", **kwargs)
        self._conditions = conditions
        choices = [(str(number), _in_words(one)) for number, one in enumerate(conditions)]
        field = self.fields["condition"]
        field.choices = [*choices, (_STATUS_ALONE, "the status alone")]  # type: ignore[attr-defined]
        if not conditions:
            self.initial["condition"] = _STATUS_ALONE

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"condition", "outcome"} <= set(cleaned):
            try:
                self.rule()
            except DescriptionError as error:
                raise ValidationError(error.message) from error
        return cleaned

    def rule(self) -> Rule:
        """The rule; raises DescriptionError."""
        chosen = self.cleaned_data["condition"]
        condition = Condition() if chosen == _STATUS_ALONE else self._conditions[int(chosen)]
        outcome = Outcome(self.cleaned_data["outcome"])
        return condition.rule(self.cleaned_data.get("status", ""), outcome)


class AnswerForm(forms.Form):
    """A name for the answer, and the outcome that it should have."""

    name = forms.CharField(max_length=200)
    outcome = forms.ChoiceField(
        choices=[(outcome.value, outcome.capitalize()) for outcome in Outcome],
        label="should be read as",
    )

    def __init__(self, data: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(data, auto_id="answer_%s", **kwargs)


def _in_words(condition: Condition) -> str:
    place = extractors[condition.where].label if condition.where == "text" else condition.path
    return f"{place} exists" if not condition.value else f"{place} equals “{condition.value}”"
