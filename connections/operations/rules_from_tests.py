"""From an answer that came to a rule or an expected response of its connection.

Must not know pages; what an answer suggests is known elsewhere.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import F

from connections.core.errors import DescriptionError
from connections.core.messages import Response
from connections.core.response.outcomes import Outcome
from connections.core.response.parsed import ParsedResponse
from connections.core.response.rules import Rule
from connections.models import Connection, ExpectedResponse, ResponseRule


class NameTaken(Exception):  # noqa: N818 - it says what is wrong with the name.
    """The connection has an expected response of this name already."""


def add_rule(connection: Connection, *, rule: Rule, answer: Response) -> ResponseRule:
    """Add the rule where it takes effect: before the first rule that matches the answer now."""
    with transaction.atomic():
        rows = list(connection.response_rules.select_for_update())
        position = _first_match(rows, ParsedResponse(answer)) or len(rows) + 1
        number_rules(connection)
        connection.response_rules.filter(position__gte=position).update(position=F("position") + 1)
        row = ResponseRule.from_domain(rule, connection=connection, position=position)
        row.save()
        touch(connection)
    return row


def keep_expected_response(
    connection: Connection, *, name: str, answer: Response, outcome: Outcome
) -> ExpectedResponse:
    """Keep the answer as an expected response of this outcome; raises NameTaken."""
    content_type = answer.header("Content-Type")
    try:
        with transaction.atomic():
            row = ExpectedResponse.objects.create(
                connection=connection,
                name=name,
                status=answer.status,
                headers={"Content-Type": content_type} if content_type else {},
                body=answer.text(),
                outcome=outcome.value,
            )
            touch(connection)
    except IntegrityError as error:
        message = f'There is an expected response of the name "{name}" already; choose another.'
        raise NameTaken(message) from error
    return row


def number_rules(connection: Connection) -> None:
    """Give the rules the numbers 1, 2, 3 in the order that they have."""
    for number, row in enumerate(connection.response_rules.all(), start=1):
        if row.position != number:
            row.position = number
            row.save(update_fields=["position"])


def touch(connection: Connection) -> None:
    """The description has changed, so earlier tests count no more."""
    connection.save(update_fields=["changed_at"])


def _first_match(rows: list[ResponseRule], answer: ParsedResponse) -> int | None:
    """The number of the first rule that matches, from 1."""
    for number, row in enumerate(rows, start=1):
        try:
            if row.to_domain().matches(answer):
                return number
        except DescriptionError:
            continue
    return None
