"""From what a person has typed to a draft, whether or not all of it is right; saves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import BoundField, ModelForm
from django.forms.models import BaseInlineFormSet

from connections.core.response.rules import Rule
from connections.forms.responses import LAST_POSITION
from connections.forms.tabs import get_tab
from connections.mapping.draft import Draft, DraftProblem
from connections.models import Connection, Endpoint

if TYPE_CHECKING:  # Neither is generic at run time.
    Form = ModelForm[Any]
    FormSets = Mapping[str, BaseInlineFormSet[Any, Any, Form]]

_NOUNS = {
    "endpoints": "Endpoint",
    "technical_contacts": "Contact",
    "response_rules": "Rule",
    "expected_responses": "Expected response",
}


def build_draft(form: Form, formsets: Iterable[BaseInlineFormSet[Any, Any, Form]]) -> Draft:
    """The draft that bound forms make; what is wrong becomes problems, the rest takes part."""
    by_prefix = {str(formset.prefix): formset for formset in formsets}
    problems = [*_form_problems(form), *_formset_problems(by_prefix)]
    connection: Connection = form.instance
    return Draft(
        connection=connection,
        endpoints=tuple(_endpoints(by_prefix)),
        contacts=len(list(_filled(by_prefix, "technical_contacts"))),
        rules=tuple(_rules(by_prefix)),
        expected_responses={
            _number(row): row.instance.to_domain()
            for row in _filled(by_prefix, "expected_responses")
            if not row.errors
        },
        problems=tuple(problems),
    )


def _endpoints(formsets: FormSets) -> Iterator[Endpoint]:
    for row in _filled(formsets, "endpoints"):
        if not row.errors and row.cleaned_data.get("url"):
            yield row.instance


def _rules(formsets: FormSets) -> Iterator[Rule]:
    rows = [row for row in _filled(formsets, "response_rules") if not row.errors]
    rows.sort(key=lambda row: row.cleaned_data.get("position") or LAST_POSITION)
    for row in rows:
        yield row.instance.to_domain()


def _filled(formsets: FormSets, prefix: str) -> Iterator[Form]:
    """The rows of a formset that will be there after saving."""
    formset = formsets.get(prefix)
    for row in formset.forms if formset is not None else ():
        is_blank = row.instance.pk is None and not row.has_changed()
        if not is_blank and not formset._should_delete_form(row):  # type: ignore[union-attr]
            yield row


def _form_problems(form: Form) -> Iterator[DraftProblem]:
    for name, messages in form.errors.items():
        field = form[name] if name in form.fields else None
        tab = get_tab(name) if name != NON_FIELD_ERRORS else "general"
        yield _problem(str(field.label) if field else "Connection", messages, tab, field)


def _formset_problems(formsets: FormSets) -> Iterator[DraftProblem]:
    for prefix in formsets:
        noun, tab = _NOUNS.get(prefix, prefix), get_tab(prefix)
        for row in _filled(formsets, prefix):
            for name, messages in row.errors.items():
                field = row[name] if name in row.fields else None
                label = f"{noun} {_place(row)}"
                yield _problem(f"{label}: {field.label}" if field else label, messages, tab, field)
        yield from (
            DraftProblem(label=noun, message=str(message), tab=tab)
            for message in formsets[prefix].non_form_errors()
        )


def _problem(
    label: str, messages: Iterable[object], tab: str, field: BoundField | None
) -> DraftProblem:
    message = " ".join(str(message) for message in messages)
    anchor = (field.id_for_label or field.auto_id) if field else ""
    return DraftProblem(label=label, message=message, tab=tab, anchor=str(anchor))


def _place(row: Form) -> str:
    """What people call the row: a rule's number, an endpoint's environment, else its count."""
    if "environment" in row.fields:
        return str(row["environment"].value())
    return str(row["position"].value() if "position" in row.fields else _number(row) + 1)


def _number(row: Form) -> int:
    return int(str(row.prefix).rpartition("-")[2])
