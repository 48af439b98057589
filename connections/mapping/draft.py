"""A draft of a connection: its saved rows, or the rows that a form would save."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.forms import BoundField, ModelForm
from django.forms.models import BaseInlineFormSet

from connections.core.attributes import CATALOGUE, Attribute
from connections.core.request.authorization import authorizations
from connections.core.request.spec import Environment
from connections.core.response.rules import InvalidRule, Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse
from connections.mapping.to_spec import (
    build_documented_response,
    build_response_handling,
    build_rule,
    build_spec_from_parts,
    compile_rules,
)
from connections.models import Connection, Endpoint

Form: TypeAlias = "ModelForm[Any]"
FormSet: TypeAlias = "BaseInlineFormSet[Any, Any, Form]"

_NOUNS = {
    "endpoints": "Endpoint",
    "technical_contacts": "Contact",
    "response_rules": "Rule",
    "expected_responses": "Expected response",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProblem:
    """An error in a draft: its label, the message, and the form field or formset it belongs to.

    `anchor` is the HTML id of the field, if it has one.
    """

    label: str
    message: str
    field: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The connection and its parts; `expected_responses` has the row's number as key."""

    connection: Connection
    endpoints: tuple[Endpoint, ...] = ()
    contacts: int = 0
    rules: tuple[Rule, ...] = ()
    expected_responses: Mapping[int, DocumentedResponse] = field(default_factory=dict)
    problems: tuple[DraftProblem, ...] = ()

    @property
    def environment(self) -> str:
        """The environment for tests if it has an endpoint, or else the first that has one."""
        described = [row.environment for row in self.endpoints]
        preferred = [self.connection.test_environment, *Environment]
        return next((name for name in preferred if name in described), Environment.PRODUCTION)

    @property
    def catalogue(self) -> Mapping[str, Attribute]:
        """The attributes that the account's referrals may have."""
        has_account = self.connection.account_id is not None
        return self.connection.account.catalogue() if has_account else CATALOGUE

    def build_spec(self) -> ConnectionSpec:
        """Return the spec of the draft for its environment; raise DescriptionError."""
        return build_spec_from_parts(
            self.connection,
            self.environment,
            endpoints=self.endpoints,
            response_handling=build_response_handling(self.connection, self.rules),
            documented_responses=self.expected_responses.values(),
        )

    def missing_secrets(self) -> list[str]:
        """Return the labels of the credentials that the authorization needs and that are empty."""
        kind = authorizations[self.connection.authorization_kind]
        by_endpoint = [row.secrets for row in self.endpoints]
        return [
            setting.label
            for setting in kind.settings()
            if setting.is_secret
            and not self.connection.secrets.get(setting.name)
            and not (by_endpoint and all(secrets.get(setting.name) for secrets in by_endpoint))
        ]


def saved_draft(connection: Connection) -> Draft:
    """Return the draft of the saved rows; rules that no longer compile become problems."""
    rules = compile_rules(connection.response_rules.all())
    expected = map(build_documented_response, connection.expected_responses.all())
    return Draft(
        connection=connection,
        endpoints=tuple(connection.endpoints.all()),
        contacts=connection.technical_contacts.count(),
        rules=tuple(rule for rule in rules if isinstance(rule, Rule)),
        expected_responses=dict(enumerate(expected)),
        problems=tuple(
            DraftProblem(label=f"Rule {number}", message=rule.why, field="response_rules")
            for number, rule in enumerate(rules, start=1)
            if isinstance(rule, InvalidRule)
        ),
    )


def build_draft(form: Form, formsets: Iterable[FormSet]) -> Draft:
    """Return the draft of validated forms, saving nothing.

    Rows with errors become problems and are left out of the draft.
    """
    formsets = list(formsets)
    rows = {str(formset.prefix): list(_kept_rows(formset)) for formset in formsets}
    valid = {prefix: [row for row in rows[prefix] if not row.errors] for prefix in rows}
    connection: Connection = form.instance
    return Draft(
        connection=connection,
        endpoints=tuple(
            row.instance for row in valid.get("endpoints", ()) if row.cleaned_data.get("url")
        ),
        contacts=len(rows.get("technical_contacts", ())),
        rules=tuple(_rules_in_order(valid.get("response_rules", ()))),
        expected_responses={
            _number(row): build_documented_response(row.instance)
            for row in valid.get("expected_responses", ())
        },
        problems=(*_form_problems(form), *_formset_problems(formsets)),
    )


def _kept_rows(formset: FormSet) -> Iterator[Form]:
    """Yield the rows that exist after saving: neither blank nor to be deleted."""
    for row in formset.forms:
        is_blank = row.instance.pk is None and not row.has_changed()
        if not is_blank and not formset._should_delete_form(row):  # type: ignore[attr-defined]
            yield row


def _rules_in_order(rows: Iterable[Form]) -> Iterator[Rule]:
    for row in sorted((row.instance for row in rows), key=lambda row: row.position):
        yield build_rule(row)


def _form_problems(form: Form) -> Iterator[DraftProblem]:
    for name, messages in form.errors.items():
        bound = form[name] if name in form.fields else None
        yield _build_problem(str(bound.label) if bound else "Connection", messages, name, bound)


def _formset_problems(formsets: Iterable[FormSet]) -> Iterator[DraftProblem]:
    for formset in formsets:
        prefix = str(formset.prefix)
        noun = _NOUNS.get(prefix, prefix)
        for row in _kept_rows(formset):
            for name, messages in row.errors.items():
                bound = row[name] if name in row.fields else None
                label = f"{noun} {_row_name(row)}"
                label = f"{label}: {bound.label}" if bound else label
                yield _build_problem(label, messages, prefix, bound)
        for message in formset.non_form_errors():
            yield DraftProblem(label=noun, message=str(message), field=prefix)


def _build_problem(
    label: str, messages: Iterable[object], field: str, bound: BoundField | None
) -> DraftProblem:
    message = " ".join(str(message) for message in messages)
    anchor = (bound.id_for_label or bound.auto_id) if bound else ""
    return DraftProblem(label=label, message=message, field=field, anchor=str(anchor))


def _row_name(row: Form) -> str:
    """Return the row's name on the page: an environment, a rule's position, or its number."""
    if "environment" in row.fields:
        return str(row["environment"].value())
    return str(row["position"].value() if "position" in row.fields else _number(row) + 1)


def _number(row: Form) -> int:
    return int(str(row.prefix).rpartition("-")[2])
