"""What came of a test: the exchange, why it was read so, and what can be made of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from connections.core.errors import DescriptionError
from connections.core.messages import Response
from connections.core.response.outcomes import Outcome
from connections.core.response.parsed import ParsedResponse
from connections.core.response.suggestions import suggest_conditions, suggest_outcome
from connections.forms.connection_test_result import AnswerForm, RuleFromAnswerForm
from connections.models import Connection, ConnectionTest
from connections.models.exchanges import KEPT_BODY_BYTES
from connections.operations.rules_from_tests import NameTaken, add_rule, keep_expected_response
from connections.pages.base import connection_to_change, connection_to_view, render
from connections.pages.connection_test import result_url
from connections.pages.redaction import shown_test

if TYPE_CHECKING:
    from connections.pages.base import Admin

_EARLIER = 20
"""Earlier tests that the page lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEvaluation:
    """One rule held against an answer; those behind the first that matches are not asked."""

    number: int
    text: str
    explanation: str
    state: str


def result(model_admin: Admin, request: HttpRequest, object_id: str, test_id: int) -> HttpResponse:
    """The page of one test."""
    connection = connection_to_view(model_admin, request, object_id)
    can_change = model_admin.has_change_permission(request, connection)
    test = shown_test(_test(connection, test_id), request.user, can_change=can_change)
    response = test.response()
    context = {
        "title": f"Test of {connection}",
        "connection": connection,
        "test": test,
        "expected": Outcome(test.expected_outcome) if test.expected_outcome else None,
        "meaning": Outcome(test.outcome).meaning,
        "request_value": test.request(),
        "response_value": response,
        "is_cut": bool(response and len(response.body) >= KEPT_BODY_BYTES),
        "is_current": test.connection_changed_at == connection.changed_at,
        "rules": list(evaluate_rules(connection, response)) if response else [],
        "earlier": connection.tests.select_related("requested_by")[:_EARLIER],
        "can_change": can_change,
        **(_forms(test, response) if response and can_change else {}),
    }
    return render(model_admin, request, "connections/test/result.html", context)


def make_rule(
    model_admin: Admin, request: HttpRequest, object_id: str, test_id: int
) -> HttpResponse:
    """Make a rule from a condition that the answer suggests."""
    connection = connection_to_change(model_admin, request, object_id)
    test, response = _answered(connection, test_id)
    form = RuleFromAnswerForm(request.POST, conditions=_conditions(test, response))
    if form.is_valid():
        rule = form.rule()
        row = add_rule(connection, rule=rule, answer=response)
        model_admin.log_change(request, connection, f"Made a rule from a test: {rule}.")
        messages.success(request, f"Rule {row.position} is made: {rule}. Test once more.")
    else:
        messages.error(request, _problems(form))
    return HttpResponseRedirect(result_url(connection, test.pk))


def keep_expected(
    model_admin: Admin, request: HttpRequest, object_id: str, test_id: int
) -> HttpResponse:
    """Keep the answer as an expected response."""
    connection = connection_to_change(model_admin, request, object_id)
    test, response = _answered(connection, test_id)
    form = AnswerForm(request.POST)
    if form.is_valid():
        name, outcome = form.cleaned_data["name"], Outcome(form.cleaned_data["outcome"])
        try:
            keep_expected_response(connection, name=name, answer=response, outcome=outcome)
        except NameTaken as error:
            messages.error(request, str(error))
        else:
            model_admin.log_change(request, connection, f"Kept an expected response: {name}.")
            messages.success(request, f"“{name}” is an expected response now: {outcome}.")
    else:
        messages.error(request, _problems(form))
    return HttpResponseRedirect(result_url(connection, test.pk))


def evaluate_rules(connection: Connection, response: Response) -> Iterator[RuleEvaluation]:
    """What each of today's rules makes of the answer, and why."""
    answer, has_matched = ParsedResponse(response), False
    for number, row in enumerate(connection.response_rules.all(), start=1):
        try:
            rule = row.to_domain()
        except DescriptionError as error:
            yield RuleEvaluation(
                number=number, text=str(row), explanation=str(error), state="wrong"
            )
            continue
        if has_matched:
            explanation, state = "Not asked: an earlier rule has matched.", "unasked"
        else:
            has_matched = rule.matches(answer)
            explanation, state = rule.explain(answer), "matched" if has_matched else "unmatched"
        yield RuleEvaluation(number=number, text=str(rule), explanation=explanation, state=state)


def _forms(test: ConnectionTest, response: Response) -> dict[str, Any]:
    outcome = suggest_outcome(response)
    wanted = Outcome(test.expected_outcome or outcome)
    rule = {"status": response.status, "outcome": outcome.value, "condition": "0"}
    answer = {"name": f"{wanted.capitalize()} ({response.status})", "outcome": wanted.value}
    return {
        "rule_form": RuleFromAnswerForm(None, conditions=_conditions(test, response), initial=rule),
        "answer_form": AnswerForm(None, initial=answer),
    }


def _problems(form: Form) -> str:
    return " ".join(str(message) for found in form.errors.values() for message in found)


def _conditions(test: ConnectionTest, response: Response) -> tuple[Any, ...]:
    texts = (value for value in test.attributes.values() if isinstance(value, str))
    return suggest_conditions(response, [text for text in texts if len(text) > 3])


def _answered(connection: Connection, test_id: int) -> tuple[ConnectionTest, Response]:
    test = _test(connection, test_id)
    response = test.response()
    if response is None:
        raise Http404
    return test, response


def _test(connection: Connection, test_id: int) -> ConnectionTest:
    test = connection.tests.select_related("requested_by").filter(pk=test_id).first()
    if test is None:
        raise Http404
    return test
