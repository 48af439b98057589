"""Tests of the drafts of connections."""

from __future__ import annotations

from typing import Any

from django.forms import inlineformset_factory
from django.forms.models import BaseInlineFormSet

from connections.forms import RuleForm, make_connection_form
from connections.mapping.draft import DraftProblem, build_draft, saved_draft
from connections.mapping.to_spec import build_spec
from connections.models import Connection, ResponseRule

NO_STATUS = '"soon" is no status; write 201, 2xx, 400-499, or several with commas.'


def rule_formset(connection: Connection, *rows: dict[str, Any]) -> BaseInlineFormSet[Any, Any, Any]:
    """Return the bound formset of the rules with these new rows."""
    formset = inlineformset_factory(Connection, ResponseRule, form=RuleForm, extra=0)
    prefix = "response_rules"
    data = {
        f"{prefix}-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in row.items()
    }
    counts = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
    return formset({**data, **counts}, instance=connection)


def draft_of_rules(connection: Connection, *rows: dict[str, Any]) -> Any:
    """Return the draft of an untouched connection whose formset has these rules."""
    formset = rule_formset(connection, *rows)
    formset.is_valid()
    return build_draft(make_connection_form()(instance=connection), [formset])


def test_a_draft_of_saved_rows_builds_their_spec(connection: Connection) -> None:
    connection.test_environment = "production"

    assert saved_draft(connection).build_spec() == build_spec(connection)


def test_an_invalid_saved_rule_is_a_problem_and_the_other_rules_are_kept(
    connection: Connection,
) -> None:
    connection.response_rules.filter(position=1).update(status="soon")

    draft = saved_draft(connection)

    assert draft.problems == (
        DraftProblem(label="Rule 1", message=f"status: {NO_STATUS}", field="response_rules"),
    )
    assert [str(rule) for rule in draft.rules] == ["status 200 and json id exists → delivered"]


def test_rules_of_a_form_are_in_the_order_in_which_they_will_be_saved(
    connection: Connection,
) -> None:
    draft = draft_of_rules(
        connection,
        {"position": "", "status": "404", "outcome": "rejected"},
        {"position": "2", "status": "409", "outcome": "duplicate"},
        {"position": "0", "status": "201", "outcome": "delivered"},
    )

    assert draft.problems == ()
    assert [rule.status for rule in draft.rules] == ["201", "409", "404"]


def test_an_invalid_row_of_a_form_is_a_problem_and_the_other_rows_are_kept(
    connection: Connection,
) -> None:
    draft = draft_of_rules(
        connection,
        {"position": "7", "status": "soon", "outcome": "rejected"},
        {"position": "8", "status": "409", "outcome": "duplicate"},
    )

    assert draft.problems == (
        DraftProblem(
            label="Rule 7: Status", message=NO_STATUS, field="response_rules",
            anchor="id_response_rules-0-status",
        ),
    )  # fmt: skip
    assert [rule.status for rule in draft.rules] == ["409"]
