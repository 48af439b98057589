"""The page of one test, and the two actions on it: make a rule, keep an expected response."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from connections.core.messages import Response
from connections.core.response.matching import RuleEvaluation, evaluate_rules
from connections.core.response.outcomes import Outcome
from connections.core.response.suggestions import (
    Condition,
    suggest_conditions,
    suggest_outcome,
)
from connections.forms.connection_test_result import KeepResponseForm, RuleFromResponseForm
from connections.mapping.to_spec import compile_rules
from connections.models import Connection, ConnectionTest
from connections.operations.history import Actor
from connections.operations.rules_from_tests import NameTaken, add_rule, keep_expected_response
from connections.pages.base import Admin, connection_to_change, connection_to_view, render
from connections.pages.connection_test import result_url
from connections.presentation.exchange import ExchangeView
from connections.presentation.redaction import build_test_redaction

_MAX_EARLIER_TESTS = 20
"""Tests of the connection that the page lists."""


def result(model_admin: Admin, request: HttpRequest, object_id: str, test_id: int) -> HttpResponse:
    """Render the page of one test."""
    connection = connection_to_view(model_admin, request, object_id)
    can_change = model_admin.has_change_permission(request, connection)
    test = _get_test_or_404(connection, test_id)
    redaction = build_test_redaction(test, request.user, can_change=can_change)
    exchange = ExchangeView.from_record(test, redaction)
    response = exchange.received
    context = {
        "title": f"Test of {connection}",
        "connection": connection,
        "test": test,
        "expected": Outcome(test.expected_outcome) if test.expected_outcome else None,
        "meaning": Outcome(test.outcome).meaning,
        "exchange": exchange,
        "is_current": test.connection_changed_at == connection.changed_at,
        "rules": _evaluate_rules(connection, response) if response else [],
        "earlier": connection.tests.select_related("requested_by")[:_MAX_EARLIER_TESTS],
        "can_change": can_change,
        **(_make_forms(test, response) if response and can_change else {}),
    }
    return render(model_admin, request, "connections/test/result.html", context)


def make_rule(
    model_admin: Admin, request: HttpRequest, object_id: str, test_id: int
) -> HttpResponse:
    """Store a rule with a suggested condition, and redirect to the test with a message."""
    connection = connection_to_change(model_admin, request, object_id)
    test, response = _get_response_or_404(connection, test_id)
    form = RuleFromResponseForm(request.POST, conditions=_suggest(test, response))
    if form.is_valid():
        rule = form.build_rule()
        row = add_rule(connection, rule=rule, response=response, by=Actor.of_request(request))
        messages.success(request, f"Rule {row.position} is made: {rule}. Test once more.")
    else:
        messages.error(request, _join_errors(form))
    return HttpResponseRedirect(result_url(connection, test.pk))


def keep_expected(
    model_admin: Admin, request: HttpRequest, object_id: str, test_id: int
) -> HttpResponse:
    """Store the response as an expected one, and redirect to the test with a message."""
    connection = connection_to_change(model_admin, request, object_id)
    test, response = _get_response_or_404(connection, test_id)
    form = KeepResponseForm(request.POST)
    if form.is_valid():
        name, outcome = form.cleaned_data["name"], Outcome(form.cleaned_data["outcome"])
        try:
            keep_expected_response(
                connection,
                name=name,
                response=response,
                outcome=outcome,
                by=Actor.of_request(request),
            )
        except NameTaken as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"“{name}” is an expected response now: {outcome}.")
    else:
        messages.error(request, _join_errors(form))
    return HttpResponseRedirect(result_url(connection, test.pk))


def _evaluate_rules(connection: Connection, response: Response) -> list[RuleEvaluation]:
    rules = compile_rules(connection.response_rules.all())
    return list(evaluate_rules(rules, response))


def _make_forms(test: ConnectionTest, response: Response) -> dict[str, Any]:
    outcome = suggest_outcome(response)
    expected = Outcome(test.expected_outcome or outcome)
    rule = {"status": response.status, "outcome": outcome.value, "condition": "0"}
    keep = {"name": f"{expected.capitalize()} ({response.status})", "outcome": expected.value}
    return {
        "rule_form": RuleFromResponseForm(None, conditions=_suggest(test, response), initial=rule),
        "keep_form": KeepResponseForm(None, initial=keep),
    }


def _join_errors(form: Form) -> str:
    return " ".join(str(message) for errors in form.errors.values() for message in errors)


def _suggest(test: ConnectionTest, response: Response) -> tuple[Condition, ...]:
    """Return conditions that hold for the response and contain no value of the test's person."""
    texts = (value for value in test.attributes.values() if isinstance(value, str))
    return suggest_conditions(response, [text for text in texts if len(text) > 3])


def _get_response_or_404(connection: Connection, test_id: int) -> tuple[ConnectionTest, Response]:
    test = _get_test_or_404(connection, test_id)
    response = test.response()
    if response is None:
        raise Http404
    return test, response


def _get_test_or_404(connection: Connection, test_id: int) -> ConnectionTest:
    test = connection.tests.select_related("requested_by").filter(pk=test_id).first()
    if test is None:
        raise Http404
    return test
