"""Tests of rules against documented responses of real CRMs, among them misleading ones."""

from collections.abc import Mapping

import pytest

from connections.core.messages import Headers
from connections.core.response.matching import ResponseHandling, classify
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from tests.connections.core.factories import Content, exchange, outcome, rule

RuleFields = Mapping[str, object]


def compare(path: str, *value: str, ignore_case: bool = False, where: str = "json") -> RuleFields:
    operator = "one_of" if len(value) > 1 else "equals"
    return {
        "where": where,
        "path": path,
        "operator": operator,
        "value": value,
        "ignore_case": ignore_case,
    }


def search_text(
    *value: str, operator: str = "contains_word", ignore_case: bool = False
) -> RuleFields:
    return {"where": "text", "operator": operator, "value": value, "ignore_case": ignore_case}


MARKETO = [
    rule("unauthorized", **compare("errors[0].code", "601", "602")),
    rule("throttled", **compare("errors[0].code", "606", "607", "615")),
    rule("unavailable", **compare("errors[0].code", "502", "604", "608", "611", "713")),
    rule("duplicate", **compare("result[0].reasons[0].code", "1005")),
    rule("rejected", **compare("result[0].status", "skipped")),
    rule("delivered", **compare("result[0].status", "created", "updated")),
]
SALESFORCE = [
    rule("delivered", status="201", **compare("success", "true")),
    rule(
        "duplicate",
        status="400",
        **compare("[0].errorCode", "DUPLICATES_DETECTED", "DUPLICATE_VALUE"),
    ),
    rule("throttled", status="403", **compare("$[0].errorCode", "REQUEST_LIMIT_EXCEEDED")),
]
CONSTANT_CONTACT = [
    rule("unavailable", status="409"),
    rule("duplicate", status="200", **compare("action", "updated")),
    rule("delivered", status="201", **compare("action", "created")),
]
BRAZE = [
    rule("rejected", status="201", where="json", path="errors", operator="exists"),
    rule("delivered", status="201", where="json", path="errors", operator="absent"),
]
BOBERDOO = [
    rule("delivered", **compare("//status", "Matched", where="xpath")),
    rule("rejected", **compare("//status", "Unmatched", "Error", where="xpath")),
]
ACOUSTIC = [
    rule("delivered", **compare("//SUCCESS", "true", ignore_case=True, where="xpath")),
    rule("rejected", where="xpath", path="//Fault", operator="exists"),
]
SENDY = [
    rule("delivered", where="text", operator="one_of", value=("true", "1")),
    rule("duplicate", where="text", operator="equals", value="Already subscribed."),
    rule("unavailable", where="text", operator="contains", value="<html", ignore_case=True),
    rule("rejected", where="header", path="Content-Type", operator="contains", value="text/plain"),
]
PLAIN = (("Content-Type", "text/plain; charset=utf-8"),)


@pytest.mark.parametrize(
    ("rules", "status", "content", "expected"),
    [
        (MARKETO, 200, '{"success":true,"result":[{"id":50,"status":"created"}]}', "delivered"),
        (MARKETO, 200, '{"success":true,"result":[{"id":50,"status":"updated"}]}', "delivered"),
        (
            MARKETO,
            200,
            '{"success":true,"result":[{"status":"skipped","reasons":[{"code":"1005"}]}]}',
            "duplicate",
        ),
        (
            MARKETO,
            200,
            '{"success":true,"result":[{"status":"skipped","reasons":[{"code":1005}]}]}',
            "duplicate",
        ),
        (
            MARKETO,
            200,
            '{"success":true,"result":[{"status":"skipped","reasons":[{"code":"1003"}]}]}',
            "rejected",
        ),
        (
            MARKETO,
            200,
            '{"success":false,"errors":[{"code":"602","message":"expired"}]}',
            "unauthorized",
        ),
        (MARKETO, 200, '{"success":false,"errors":[{"code":606}]}', "throttled"),
        (MARKETO, 200, '{"success":false,"errors":[{"code":"611"}]}', "unavailable"),
        (MARKETO, 200, '{"success":false,"errors":[{"code":"609"}]}', "unrecognised"),
        (MARKETO, 200, "", "unrecognised"),
        (SALESFORCE, 201, '{"id":"00Q","success":true,"errors":[]}', "delivered"),
        (SALESFORCE, 201, '{"id":"00Q","success":"true","errors":[]}', "delivered"),
        (SALESFORCE, 201, '{"id":"00Q","success":false,"errors":[1]}', "unrecognised"),
        (SALESFORCE, 400, '[{"errorCode":"DUPLICATES_DETECTED","fields":[]}]', "duplicate"),
        (SALESFORCE, 400, '[{"errorCode":"DUPLICATE_VALUE"}]', "duplicate"),
        (SALESFORCE, 400, '[{"errorCode":"REQUIRED_FIELD_MISSING"}]', "rejected"),
        (SALESFORCE, 400, '{"errorCode":"DUPLICATE_VALUE"}', "rejected"),
        (SALESFORCE, 403, '[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]', "throttled"),
        (SALESFORCE, 403, '[{"errorCode":"API_DISABLED"}]', "unauthorized"),
        (SALESFORCE, 401, '[{"errorCode":"INVALID_SESSION_ID"}]', "unauthorized"),
        (CONSTANT_CONTACT, 201, '{"action":"created"}', "delivered"),
        (CONSTANT_CONTACT, 200, '{"action":"updated"}', "duplicate"),
        (CONSTANT_CONTACT, 409, '[{"error_key":"conflict"}]', "unavailable"),
        (CONSTANT_CONTACT, 400, '[{"error_key":"x"}]', "rejected"),
        (BRAZE, 201, '{"message":"success","attributes_processed":1}', "delivered"),
        (BRAZE, 201, '{"message":"success","errors":[{"type":"x"}]}', "rejected"),
        (BRAZE, 201, '{"message":"success","errors":[]}', "rejected"),
        (BRAZE, 201, "", "unrecognised"),
        (BOBERDOO, 200, "<response><status>Matched</status></response>", "delivered"),
        (BOBERDOO, 200, "<response><status>Unmatched</status></response>", "rejected"),
        (BOBERDOO, 200, "<response><status>matched</status></response>", "unrecognised"),
        (BOBERDOO, 200, "<response><status>Matched", "unrecognised"),
        (
            BOBERDOO,
            200,
            "<response><status>Matched</status><buyer>A & B</buyer></response>",
            "delivered",
        ),
        (
            BOBERDOO,
            200,
            '<?xml version="1.0" encoding="UTF-16"?><response><status>Matched</status></response>',
            "delivered",
        ),
        (
            BOBERDOO,
            200,
            '<response xmlns="urn:b"><b:status xmlns:b="urn:c">Matched</b:status></response>',
            "delivered",
        ),
        (BOBERDOO, 200, '{"status": "Matched"}', "unrecognised"),
        (
            ACOUSTIC,
            200,
            "<Envelope><Body><RESULT><SUCCESS>TRUE</SUCCESS></RESULT></Body></Envelope>",
            "delivered",
        ),
        (
            ACOUSTIC,
            200,
            "<Envelope><Body><RESULT><SUCCESS>true</SUCCESS></RESULT></Body></Envelope>",
            "delivered",
        ),
        (
            ACOUSTIC,
            200,
            "<E><RESULT><SUCCESS>false</SUCCESS></RESULT><Fault><FaultString/></Fault></E>",
            "rejected",
        ),
        (ACOUSTIC, 200, "<E><RESULT><SUCCESS>untrue</SUCCESS></RESULT></E>", "unrecognised"),
    ],
)
def test_a_documented_response_has_its_expected_outcome(
    rules: list[object], status: int, content: str, expected: str
) -> None:
    assert outcome(rules, status, content) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        ("true", PLAIN, "delivered"),
        ("1\n", PLAIN, "delivered"),
        (b"\xef\xbb\xbftrue", PLAIN, "delivered"),
        ("Already subscribed.", PLAIN, "duplicate"),
        ("Invalid email address.", PLAIN, "rejected"),
        ("untrue", PLAIN, "rejected"),
        ("<!DOCTYPE html><HTML><body>true</body></HTML>", PLAIN, "unavailable"),
        ("Invalid email address.", (), "unrecognised"),
    ],
)
def test_a_plain_text_response_is_compared_as_a_whole(
    content: Content, headers: Headers, expected: str
) -> None:
    assert outcome(SENDY, 200, content, headers) == expected


@pytest.mark.parametrize(
    ("content", "word", "matches"),
    [
        ("The email is valid", "valid", True),
        ("The email is invalid", "valid", False),
        ("Unmatched", "Matched", False),
        ("untrue", "true", False),
        ("successfully delivered", "successfully delivered", True),
        ("unsuccessfully delivered", "successfully delivered", False),
    ],
)
def test_a_word_inside_another_does_not_match(content: str, word: str, *, matches: bool) -> None:
    rules = [rule("suppressed", **search_text(word)), rule("delivered", status="299")]
    assert outcome(rules, 200, content) == ("suppressed" if matches else "unrecognised")


@pytest.mark.parametrize("headers", [PLAIN, (("Content-Type", "text/html"),), ()])
def test_the_content_type_does_not_decide_how_a_body_is_parsed(headers: Headers) -> None:
    assert outcome(SALESFORCE, 201, '{"success": true}', headers) == "delivered"
    assert outcome(BOBERDOO, 200, "<r><status>Matched</status></r>", headers) == "delivered"


@pytest.mark.parametrize("content", ["", " ", "<html>down</html>", "null", "[]", '"text"', "17"])
def test_a_response_without_the_path_never_matches_and_never_raises(content: str) -> None:
    for rules in (MARKETO, SALESFORCE, BOBERDOO, ACOUSTIC):
        assert outcome(rules, 200, content) == "unrecognised"


def test_an_empty_2xx_response_is_delivered_if_no_rule_reads_the_body() -> None:
    assert outcome([rule(status="202")], 202, "") == "delivered"
    assert outcome([], 204, "") == "delivered"


def test_a_duplicate_is_recognised_at_any_status() -> None:
    mailchimp = [
        rule("duplicate", status="400", **compare("title", "Member Exists")),
        rule(status="200"),
    ]
    hubspot = [
        rule("duplicate", status="409", **compare("category", "CONFLICT")),
        rule(status="201"),
    ]
    active = [
        rule("duplicate", status="422", **compare("errors[0].code", "duplicate")),
        rule(status="201"),
    ]
    assert outcome(mailchimp, 400, '{"title":"Member Exists","status":400}') == "duplicate"
    assert outcome(mailchimp, 400, '{"title":"Invalid Resource","status":400}') == "rejected"
    assert outcome(hubspot, 409, '{"category":"CONFLICT"}') == "duplicate"
    assert outcome(active, 422, '{"errors":[{"code":"duplicate"}]}') == "duplicate"
    assert outcome(active, 422, '{"errors":[{"code":"invalid"}]}') == "rejected"


def test_the_end_of_a_rate_limit_is_read_from_an_epoch_header() -> None:
    epoch = RetryAfter(where="header", path="X-RateLimit-Reset", unit=RetryAfterUnit.EPOCH)
    throttled = exchange(429, "", (("X-RateLimit-Reset", "1795536060"),))
    found = classify(ResponseHandling(wait=epoch), throttled)
    assert (found.outcome.value, found.retry_after) == ("throttled", 60.0)
