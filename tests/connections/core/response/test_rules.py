"""Tests of the response rules."""

import pytest

from connections.core.errors import DescriptionError
from connections.core.response.outcomes import RULE_OUTCOMES, Outcome
from connections.core.response.rules import InvalidRule, Rule, parse_statuses
from tests.connections.core.factories import parse_response, rule


@pytest.mark.parametrize("status", ["", "  ", "200", "2xx"])
def test_a_rule_compares_its_condition_and_its_status(status: str) -> None:
    described = rule(status=status, where="text", operator="equals", value="true")
    assert described.matches(parse_response("true\n"))
    assert not described.matches(parse_response("untrue"))
    assert described.matches(parse_response("true", status=500)) is not status.strip().startswith(
        "2"
    )


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("201", [201], [200, 202]),
        ("2xx", [200, 299], [199, 300]),
        ("4XX", [400, 499], [500]),
        ("400-499", [400, 450, 499], [399, 500]),
        ("409, 422", [409, 422], [410, 421]),
        (" 2xx , 409 ,500 - 503,", [204, 409, 500, 503], [300, 504]),
        ("200-200", [200], [201]),
    ],
)
def test_statuses_are_parsed_from_numbers_classes_and_ranges(
    text: str, inside: list[int], outside: list[int]
) -> None:
    ranges = parse_statuses(text)
    assert all(any(status in part for part in ranges) for status in inside)
    assert not any(status in part for part in ranges for status in outside)


@pytest.mark.parametrize(
    ("content", "fields", "sentence"),
    [
        ("", {"status": "4xx"}, "The status is 200, not 4xx."),
        ("", {"status": "2xx"}, "The status is 200."),
        ('{"a": "dup"}', {"value": "dup"}, 'Found "dup" in a JSON path a, which matches.'),
        ('{"a": 2.50}', {"value": "2.5"}, 'Found "2.50" in a JSON path a, which does not match.'),
        ("{}", {"value": "x"}, "Found nothing in a JSON path a, which does not match."),
        ("{}", {"operator": "absent"}, "Found nothing in a JSON path a, which matches."),
        ("", {"value": "x"}, "Can't look in a JSON path: the body is empty."),
        ("<r/>", {"value": "x"}, "Can't look in a JSON path: the body is not JSON."),
        (
            '{"a": "%s"}' % ("y" * 99),
            {"value": "x"},
            'Found "%s…" in a JSON path a, which does not match.' % ("y" * 77),
        ),
        (
            "<r>",
            {"where": "xpath", "path": "//r", "value": "x"},
            "Can't look in an XPath: the body is not well-formed XML.",
        ),
        (
            "yes",
            {"where": "text", "path": "", "value": "yes"},
            'Found "yes" in the body text, which matches.',
        ),
        (
            "",
            {"where": "header", "path": "X-A", "value": "x"},
            "Found nothing in a header X-A, which does not match.",
        ),
    ],
)
def test_a_rule_explains_whether_it_matches(
    content: str, fields: dict[str, str], sentence: str
) -> None:
    described = (
        fields
        if set(fields) == {"status"}
        else {"where": "json", "path": "a", "operator": "equals"} | fields
    )
    assert rule("duplicate", **described).explain(parse_response(content)) == sentence


def test_a_rule_is_shown_as_one_line() -> None:
    assert str(rule(status="2xx")) == "status 2xx → delivered"
    full = rule(
        "duplicate", status="400", where="json", path="a", operator="one_of", value=("x", "y")
    )
    assert str(full) == "status 400 and json a one_of x, y → duplicate"
    assert str(rule(where="text", operator="empty")) == "text empty → delivered"


@pytest.mark.parametrize("wrong", [Outcome.UNRECOGNISED, Outcome.INVALID])
def test_a_rule_with_the_outcome_unrecognised_or_invalid_is_refused(wrong: Outcome) -> None:
    with pytest.raises(DescriptionError) as caught:
        Rule(outcome=wrong, status="200")
    assert (caught.value.field, wrong in RULE_OUTCOMES) == ("outcome", False)


def test_an_invalid_rule_matches_nothing_and_explains_what_is_wrong() -> None:
    invalid = InvalidRule(why='status: "4oo" is no status.')
    parsed = parse_response("{}")
    assert not invalid.matches(parsed)
    assert invalid.explain(parsed) == str(invalid) == 'status: "4oo" is no status.'
