"""Tests of the check of a connection."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connections.core.attributes import Attribute, AttributeType
from connections.core.connection_check import check_connection
from connections.core.errors import DescriptionError
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from connections.core.request.authorization.signature import Signature
from connections.core.request.builder import USER_AGENT
from connections.core.response.outcomes import Outcome
from connections.core.samples import sample_attributes
from connections.core.spec import ConnectionSpec
from connections.importers.files import load_connection

CRM = """
name = "CRM"
required = ["email"]
reason = "error.text"
reference = "id"

[endpoints]
production = "https://crm.example.com/leads?list={{ state }}"

[authorization]
kind = "bearer"
token = "env:CRM_TOKEN"

[credentials]
key = "env:CRM_KEY"

[body]
document = '{"email": "{{ email }}", "age": "{{ age }}", "key": "{{ credentials.key }}"}'

[[rules]]
status = "201"
where = "json"
path = "ok"
operator = "equals"
value = true
outcome = "delivered"

[[expected_responses]]
name = "Created"
status = 201
body = '{"ok": true, "id": 1234567890123456789}'
outcome = "delivered"

[[expected_responses]]
name = "Known already"
status = 409
body = '{"error": {"text": "We know them."}}'
outcome = "duplicate"

[[expected_responses]]
name = "Too fast"
status = 429
headers = {Retry-After = "Sat, 31 Jan 2026 12:31:30 GMT"}
outcome = "throttled"
"""


@pytest.fixture
def spec() -> ConnectionSpec:
    return load_connection(CRM)


def refusal(spec: ConnectionSpec) -> str:
    with pytest.raises(DescriptionError) as caught:
        check_connection(spec)
    return str(caught.value)


def test_a_check_is_converted_to_the_json_that_the_command_prints(spec: ConnectionSpec) -> None:
    assert check_connection(spec).to_json() == {
        "request": {
            "method": "POST",
            "url": "https://crm.example.com/leads?list=CA",
            "headers": {
                "Host": "crm.example.com",
                "Content-Type": "application/json",
                "Idempotency-Key": "00000000-0000-0000-0000-000000000000",
                "User-Agent": USER_AGENT,
                "Accept": "*/*",
                "Accept-Encoding": "gzip, deflate",
                "Authorization": "Bearer ••••",
                "Content-Length": "69",
            },
            "body": '{"email": "john.smith@example.com", "age": 25, "key": "••••"}',
        },
        "responses": [
            {
                "name": "Created",
                "expected": "delivered",
                "actual": "delivered",
                "rule": "status 201 and json ok equals true → delivered",
                "reason": "",
                "reference": "1234567890123456789",
                "retry_after": None,
            },
            {
                "name": "Known already",
                "expected": "duplicate",
                "actual": "rejected",
                "rule": None,
                "reason": "We know them.",
                "reference": "",
                "retry_after": None,
            },
            {
                "name": "Too fast",
                "expected": "throttled",
                "actual": "throttled",
                "rule": None,
                "reason": "",
                "reference": "",
                "retry_after": 90.0,
            },
        ],
    }


def test_the_json_of_a_check_is_serializable(spec: ConnectionSpec) -> None:
    written = check_connection(spec).to_json()

    assert json.loads(json.dumps(written)) == written


def test_a_check_with_a_misread_response_is_not_good_and_names_it(spec: ConnectionSpec) -> None:
    check = check_connection(spec)

    assert not check.is_good
    assert [(row.name, row.expected, row.actual) for row in check.responses if not row.is_good] == [
        ("Known already", Outcome.DUPLICATE, Outcome.REJECTED)
    ]


def test_a_check_without_a_misread_response_is_good(spec: ConnectionSpec) -> None:
    good = replace(spec, expected_responses=(spec.expected_responses[0],))

    assert check_connection(good).is_good
    assert check_connection(replace(spec, expected_responses=())).is_good


def test_every_checked_response_has_the_rule_that_matched(spec: ConnectionSpec) -> None:
    created, known, _ = check_connection(spec).responses

    assert created.rule is spec.response_handling.rules[0]
    assert known.rule is None


def test_a_check_gives_the_same_result_every_time(spec: ConnectionSpec) -> None:
    assert check_connection(spec).to_json() == check_connection(spec).to_json()


def test_a_retry_after_date_is_relative_to_the_given_time(spec: ConnectionSpec) -> None:
    check = check_connection(spec, now=datetime(2026, 1, 31, 12, 31, 0, tzinfo=UTC))

    assert check.responses[2].classification.retry_after == 30.0


def test_a_connection_with_oauth2_is_checked_with_a_masked_token(spec: ConnectionSpec) -> None:
    oauth = OAuth2ClientCredentials(
        token_url="https://crm.example.com/token", client_id="me", client_secret="s"
    )
    check = check_connection(replace(spec, authorization=oauth))

    assert ("Authorization", "Bearer ••••") in check.request.headers


def test_a_signature_is_checked_at_a_fixed_time(spec: ConnectionSpec) -> None:
    signed = replace(
        spec, authorization=Signature(scheme="standard_webhooks", secret="whsec_c2VjcmV0")
    )

    headers = dict(check_connection(signed).request.headers)

    assert headers["webhook-timestamp"] == "1769862600"
    assert headers["webhook-id"] == "00000000-0000-0000-0000-000000000000"


def test_a_connection_without_a_production_endpoint_is_checked_at_another_endpoint(
    spec: ConnectionSpec,
) -> None:
    other = replace(spec, endpoints={"testing": "https://test.example.com/"})

    assert check_connection(other).request.url == "https://test.example.com/"


def test_the_sample_of_a_connection_replaces_the_examples(spec: ConnectionSpec) -> None:
    own = replace(spec, sample={"state": "New York & more", "age": "42"})

    request = check_connection(own).to_json()["request"]

    assert request["url"] == "https://crm.example.com/leads?list=New%20York%20%26%20more"
    assert '"age": 42,' in request["body"]


def test_a_decimal_sample_keeps_its_digits(spec: ConnectionSpec) -> None:
    assert str(sample_attributes(replace(spec, sample={"amount": "2.50"}))["amount"]) == "2.50"
    body = '{"amount": "{{ amount }}"}'
    check = check_connection(replace(spec, sample={"amount": "2.50"}, document=body))

    assert check.request.body == b'{"amount": 2.50}'


def test_a_custom_attribute_may_be_used(spec: ConnectionSpec) -> None:
    vin = Attribute(key="vin", label="VIN", type=AttributeType.TEXT, example="1HG")
    used = replace(
        spec, document='{"vin": "{{ vin }}"}', required=(), endpoints={"production": "https://x"}
    )

    assert check_connection(used, {"vin": vin}).request.body == b'{"vin": "1HG"}'


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"endpoints": {}}, "endpoints.production: The connection has no endpoint for production."),
        (
            {"document": '{"a": "{{ emial }}"}'},
            'body.document: There is no attribute "emial". Did you mean "email"?',
        ),
        (
            {"document": '{"a": "{{ credentials.kye }}"}'},
            'body.document: There is no credential "kye". Did you mean "key"?',
        ),
        (
            {"required": ("e_mail",)},
            'required: There is no attribute "e_mail". Did you mean "email"?',
        ),
        (
            {"headers": {"X-A": "{{ emial }}"}},
            'headers.X-A: There is no attribute "emial". Did you mean "email"?',
        ),
        (
            {"sample": {"emial": "x"}},
            'sample.emial: There is no attribute "emial". Did you mean "email"?',
        ),
        (
            {"sample": {"age": "old"}},
            "sample.age: The value must be a whole number, such as 25.",
        ),
        (
            {"sample": {"email": ""}},
            'sample: It makes no request. The required attribute "email" is missing.',
        ),
        (
            {"method": "GET"},
            "body.encoding: GET has no body: use URL encoded, or no document.",
        ),
    ],
)
def test_an_invalid_description_is_refused_by_its_key(
    spec: ConnectionSpec, change: dict[str, Any], error: str
) -> None:
    assert refusal(replace(spec, **change)) == error


def test_the_endpoints_of_all_environments_are_checked(spec: ConnectionSpec) -> None:
    endpoints = {**spec.endpoints, "staging": "https://staging.example.com/{{ emial }}"}
    error = 'endpoints.staging: There is no attribute "emial". Did you mean "email"?'

    assert refusal(replace(spec, endpoints=endpoints)) == error
