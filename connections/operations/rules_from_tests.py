"""Add a rule or an expected response to a connection, made from a test's response."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import F

from connections.core.messages import Response
from connections.core.response.matching import first_match
from connections.core.response.outcomes import Outcome
from connections.core.response.parsed import ParsedResponse
from connections.core.response.rules import Rule
from connections.mapping.to_rows import build_rule_row
from connections.mapping.to_spec import compile_rules
from connections.models import Connection, ExpectedResponse, ResponseRule
from connections.operations.changes import number_rules, touch
from connections.operations.history import Actor, record_change


class NameTaken(Exception):  # noqa: N818 - it says what is wrong with the name.
    """The connection already has an expected response with this name."""


def add_rule(connection: Connection, *, rule: Rule, response: Response, by: Actor) -> ResponseRule:
    """Store the rule before the first one that matches the response, or last, and return its row.

    All rules are numbered anew, earlier tests no longer count, and the history gets an entry.
    """
    with transaction.atomic():
        rules = compile_rules(connection.response_rules.select_for_update())
        matched = first_match(rules, ParsedResponse(response))
        position = 1 + (len(rules) if matched is None else matched)
        number_rules(connection)
        connection.response_rules.filter(position__gte=position).update(position=F("position") + 1)
        row = build_rule_row(rule, connection=connection, position=position)
        row.save()
        touch(connection)
        record_change(connection, by=by, message=f"Made a rule from a test: {rule}.")
    return row


def keep_expected_response(
    connection: Connection, *, name: str, response: Response, outcome: Outcome, by: Actor
) -> ExpectedResponse:
    """Store the response as an expected one with this outcome, and return its row.

    Earlier tests no longer count, and the history gets an entry. Raise NameTaken if the connection
    has an expected response with this name.
    """
    content_type = response.header("Content-Type")
    try:
        with transaction.atomic():
            row = ExpectedResponse.objects.create(
                connection=connection,
                name=name,
                status=response.status,
                headers={"Content-Type": content_type} if content_type else {},
                body=response.text(),
                outcome=outcome.value,
            )
            touch(connection)
            record_change(connection, by=by, message=f"Kept an expected response: {name}.")
    except IntegrityError as error:
        message = f'There is an expected response of the name "{name}" already; choose another.'
        raise NameTaken(message) from error
    return row
