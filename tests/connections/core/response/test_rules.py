"""Owns what an exchange means by rules and by default, and must not know how it came about."""

import pytest

from connections.core.errors import DescriptionError
from connections.core.masking import Mask
from connections.core.messages import ErrorCode, Exchange, ExchangeError, Request
from connections.core.response.outcomes import RULE_OUTCOMES, Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import (
    Classification,
    ResponseHandling,
    Rule,
    classify,
    parse_statuses,
)
from tests.connections.core.factories import NOW, URL, answer, exchange, outcome, rule

DELIVERED = rule(status="299")


def failure(code: str, message: str = "It failed.") -> Exchange:
    return Exchange(
        request=Request(method="POST", url=URL, mask=Mask(["s3cret"])),
        error=ExchangeError(code=ErrorCode(code), message=message),
        finished_at=NOW,
    )


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([200, 201, 202, 204, 226, 298], "delivered"),
        ([300, 301, 302, 304, 307, 308, 399], "unrecognised"),
        ([400, 402, 404, 405, 406, 407, 409, 411, 413, 415, 418, 422, 451, 499], "rejected"),
        ([401, 403], "unauthorized"),
        ([408, 425], "unavailable"),
        ([410], "unavailable"),
        ([429], "throttled"),
        ([500, 501, 502, 503, 504, 507, 511, 520, 599], "unavailable"),
        ([100, 103, 199, 0, 99, 600, 999, -1], "unrecognised"),
    ],
)
def test_what_an_answer_means_without_a_rule(statuses: list[int], expected: str) -> None:
    assert {outcome([], status) for status in statuses} == {expected}
    with_delivered = "unrecognised" if expected == "delivered" else expected
    assert {outcome([DELIVERED], status) for status in statuses} == {with_delivered}


def test_a_rule_for_another_outcome_leaves_2xx_delivered() -> None:
    assert outcome([rule("duplicate", status="409")], 200) == "delivered"


def test_410_holds_the_connection_unless_a_rule_knows_better() -> None:
    assert classify(ResponseHandling(), exchange(410)).holds_connection
    assert not classify(ResponseHandling(), exchange(404)).holds_connection
    known = ResponseHandling(rules=(rule("suppressed", status="410"),))
    assert classify(known, exchange(410)) == Classification(outcome=Outcome.SUPPRESSED, rule=0)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("dns", "unavailable"),
        ("connect_refused", "unavailable"),
        ("connect_timeout", "unavailable"),
        ("connect_failed", "unavailable"),
        ("tls", "unavailable"),
        ("read_timeout", "unknown"),
        ("total_timeout", "unknown"),
        ("connection_lost", "unknown"),
        ("protocol", "unknown"),
        ("too_large", "unknown"),
        ("lease_lost", "unknown"),
        ("blocked_address", "invalid"),
        ("not_built", "invalid"),
        ("token", "unauthorized"),
    ],
)
def test_what_an_error_means(code: str, expected: str) -> None:
    found = classify(ResponseHandling(rules=(DELIVERED,)), failure(code))
    assert found == Classification(outcome=Outcome(expected), reason="It failed.")


def test_neither_answer_nor_error_may_have_arrived() -> None:
    lost = Exchange(request=Request(method="POST", url=URL), finished_at=NOW)
    assert classify(ResponseHandling(), lost) == Classification(outcome=Outcome.UNKNOWN)


def test_the_first_rule_that_matches_wins() -> None:
    rules = (
        rule("duplicate", status="409", where="json", path="code", operator="equals", value="dup"),
        rule("throttled", status="409"),
        rule("rejected", status="4xx"),
    )
    found = [
        classify(ResponseHandling(rules=rules), exchange(status, content))
        for status, content in [(409, '{"code": "dup"}'), (409, ""), (422, ""), (200, "")]
    ]
    assert [(one.outcome.value, one.rule) for one in found] == [
        ("duplicate", 0),
        ("throttled", 1),
        ("rejected", 2),
        ("delivered", None),
    ]


@pytest.mark.parametrize("status", ["", "  ", "200", "2xx"])
def test_a_condition_counts_with_and_without_a_status(status: str) -> None:
    one = rule(status=status, where="text", operator="equals", value="true")
    assert one.matches(answer("true\n"))
    assert not one.matches(answer("untrue"))
    assert one.matches(answer("true", status=500)) is not status.strip().startswith("2")


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
def test_statuses_are_numbers_classes_and_ranges(
    text: str, inside: list[int], outside: list[int]
) -> None:
    ranges = parse_statuses(text)
    assert all(any(status in part for part in ranges) for status in inside)
    assert not any(status in part for part in ranges for status in outside)


def test_reason_and_reference_are_read_at_their_paths() -> None:
    reading = ResponseHandling(reason="errors[*].message", reference="id")
    found = classify(
        reading, exchange(400, '{"id": 17, "errors": [{"message": "a"}, {"message": "b"}]}')
    )
    assert (found.reason, found.reference) == ("a, b", "17")


@pytest.mark.parametrize(
    ("path", "content", "text"),
    [
        ("detail", '{"detail": " x "}', "x"),
        ("detail", '{"detail": null}', ""),
        ("detail", '{"detail": {"a": 1.50}}', '{"a":1.50}'),
        ("detail", "<html>", ""),
        ("$", '"Already subscribed."', "Already subscribed."),
        ("detail", r'{"detail": "a\u0000b\ud800c"}', "a\ufffdb\ufffdc"),
        ("detail", '{"detail": "%s"}' % ("x" * 600), "x" * 500),
        ("//error", "<r><error>x</error></r>", "x"),
        ("string(//error)", "<r><error>x</error></r>", "x"),
        ("concat(//a, '-', //b)", "<r><a>1</a><b>2</b></r>", "1-2"),
        ("(//error)[2]", "<r><error>x</error><error>y</error></r>", "y"),
        ("count(//error)", "<r><error/></r>", "1"),
    ],
)
def test_a_reason_is_a_text_that_can_be_stored(path: str, content: str, text: str) -> None:
    assert classify(ResponseHandling(reason=path), exchange(400, content)).reason == text


def test_a_credential_in_a_reason_is_masked_before_the_reason_is_cut() -> None:
    request = Request(method="POST", url=URL, mask=Mask(["s3cret-key"]))
    echo = '{"reason": "%ss3cret-key", "id": "s3cret-key"}' % ("x" * 495)
    found = classify(
        ResponseHandling(reason="reason", reference="id"), exchange(400, echo, (), request)
    )
    assert (found.reason, found.reference) == ("x" * 495 + "••••", "••••")
    assert classify(ResponseHandling(), failure("dns", "s3cret is bad")).reason == "•••• is bad"


def test_a_wait_is_read_whatever_the_outcome() -> None:
    reading = ResponseHandling(
        wait=RetryAfter(where="json", path="ms", unit=RetryAfterUnit.MILLISECONDS)
    )
    assert classify(reading, exchange(429, '{"ms": 2500}')).retry_after == 2.5
    assert classify(reading, exchange(503, "", (("Retry-After", "9"),))).retry_after == 9.0
    assert classify(reading, exchange(200, "")).retry_after is None


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
def test_a_rule_explains_itself(content: str, fields: dict[str, str], sentence: str) -> None:
    described = (
        fields
        if set(fields) == {"status"}
        else {"where": "json", "path": "a", "operator": "equals"} | fields
    )
    assert rule("duplicate", **described).explain(answer(content)) == sentence


def test_a_rule_is_shown_as_one_line() -> None:
    assert str(rule(status="2xx")) == "status 2xx → delivered"
    full = rule(
        "duplicate", status="400", where="json", path="a", operator="one_of", value=("x", "y")
    )
    assert str(full) == "status 400 and json a one_of x, y → duplicate"
    assert str(rule(where="text", operator="empty")) == "text empty → delivered"


@pytest.mark.parametrize("wrong", [Outcome.UNRECOGNISED, Outcome.INVALID])
def test_a_rule_cannot_say_that_there_was_no_rule_or_no_answer(wrong: Outcome) -> None:
    with pytest.raises(DescriptionError) as caught:
        Rule(outcome=wrong, status="200")
    assert (caught.value.field, wrong in RULE_OUTCOMES) == ("outcome", False)


def test_every_outcome_says_what_it_means() -> None:
    assert all(one.meaning.endswith(".") for one in Outcome)
    assert [one.value for one in Outcome if one.is_success] == ["delivered", "duplicate"]
