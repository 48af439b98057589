"""Tests of the classification of exchanges."""

import pytest

from connections.core.masking import Mask
from connections.core.messages import ErrorCode, Exchange, ExchangeError, Request, Response
from connections.core.response.matching import (
    Classification,
    ResponseHandling,
    RuleState,
    classify,
    default_outcome,
    error_outcome,
    evaluate_rules,
    first_match,
)
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import InvalidRule, Rule
from tests.connections.core.factories import NOW, URL, exchange, outcome, parse_response, rule

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
def test_a_status_has_a_default_outcome(statuses: list[int], expected: str) -> None:
    assert {outcome([], status) for status in statuses} == {expected}
    expected_with_a_rule = "unrecognised" if expected == "delivered" else expected
    assert {outcome([DELIVERED], status) for status in statuses} == {expected_with_a_rule}


def test_a_rule_for_another_outcome_leaves_2xx_delivered() -> None:
    assert outcome([rule("duplicate", status="409")], 200) == "delivered"


def test_a_410_holds_the_connection_unless_a_rule_matches() -> None:
    assert classify(ResponseHandling(), exchange(410)).holds_connection
    assert not classify(ResponseHandling(), exchange(404)).holds_connection
    handling = ResponseHandling(rules=(rule("suppressed", status="410"),))
    assert classify(handling, exchange(410)) == Classification(outcome=Outcome.SUPPRESSED, rule=0)


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
def test_an_error_code_has_an_outcome(code: str, expected: str) -> None:
    found = classify(ResponseHandling(rules=(DELIVERED,)), failure(code))
    assert found == Classification(outcome=Outcome(expected), reason="It failed.")


def test_an_exchange_without_a_response_and_an_error_is_unknown() -> None:
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
    assert [(row.outcome.value, row.rule) for row in found] == [
        ("duplicate", 0),
        ("throttled", 1),
        ("rejected", 2),
        ("delivered", None),
    ]


def test_reason_and_reference_are_read_at_their_paths() -> None:
    handling = ResponseHandling(reason="errors[*].message", reference="id")
    found = classify(
        handling, exchange(400, '{"id": 17, "errors": [{"message": "a"}, {"message": "b"}]}')
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


def test_retry_after_is_read_at_any_status() -> None:
    handling = ResponseHandling(
        wait=RetryAfter(where="json", path="ms", unit=RetryAfterUnit.MILLISECONDS)
    )
    assert classify(handling, exchange(429, '{"ms": 2500}')).retry_after == 2.5
    assert classify(handling, exchange(503, "", (("Retry-After", "9"),))).retry_after == 9.0
    assert classify(handling, exchange(200, "")).retry_after is None


def test_first_match_returns_an_index_and_skips_invalid_rules() -> None:
    rules: list[Rule | InvalidRule] = [
        InvalidRule(why="Wrong."),
        rule(status="500"),
        rule(status="2xx"),
        rule(status="200"),
    ]
    assert first_match(rules, parse_response()) == 2
    assert first_match(rules, parse_response(status=404)) is None
    assert first_match([], parse_response()) is None


def test_every_rule_is_evaluated_up_to_the_first_match() -> None:
    rules: list[Rule | InvalidRule] = [
        rule("duplicate", status="409"),
        InvalidRule(why="Wrong."),
        rule(status="2xx"),
        rule("rejected", status="200"),
        InvalidRule(why="Wrong too."),
    ]
    found = list(evaluate_rules(rules, Response(status=200)))
    assert [(row.number, row.text, row.explanation, row.state) for row in found] == [
        (1, "status 409 → duplicate", "The status is 200, not 409.", RuleState.UNMATCHED),
        (2, "Wrong.", "Wrong.", RuleState.INVALID),
        (3, "status 2xx → delivered", "The status is 200.", RuleState.MATCHED),
        (
            4,
            "status 200 → rejected",
            "Not asked: an earlier rule has matched.",
            RuleState.NOT_ASKED,
        ),
        (5, "Wrong too.", "Wrong too.", RuleState.INVALID),
    ]


def test_every_rule_is_evaluated_if_no_rule_matches() -> None:
    found = evaluate_rules([rule(status="409"), rule(status="500")], Response(status=200))
    assert [row.state for row in found] == [RuleState.UNMATCHED, RuleState.UNMATCHED]


def test_default_outcome_and_classify_agree() -> None:
    for status in range(-1, 700):
        assert default_outcome(status).value == outcome([], status)
        assert default_outcome(status, [DELIVERED]).value == (
            "unrecognised" if status == 299 else outcome([DELIVERED], status)
        )


def test_every_error_has_an_outcome() -> None:
    assert {error_outcome(code) for code in ErrorCode} == {
        Outcome.INVALID,
        Outcome.UNAUTHORIZED,
        Outcome.UNAVAILABLE,
        Outcome.UNKNOWN,
    }
