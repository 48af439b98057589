"""Tests of loading connections from TOML files."""

import pytest

from connections.core.errors import DescriptionError
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from connections.core.request.authorization.static import ApiKey, Basic, None_
from connections.core.request.bodies import EmptyValues
from connections.core.response.matching import ResponseHandling
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse, Limits, OnUnknown
from connections.importers.files import load_connection

EVERYTHING = '''
name = "Everything"
documentation = "https://crm.example.com/docs"
method = "PUT"
empty_values = "null"
required = ["email", "mobile"]
reason = "//error"
reference = "id"
on_unknown = "hold"
idempotency_header = "X-Message-Id"
content_type = "application/vnd.api+json"

[endpoints]
production = "https://crm.example.com/{{ credentials.tenant }}"
testing = "https://test.crm.example.com/"

[authorization]
kind = "api_key"
name = "X-Key"
key = "env:CRM_KEY"

[credentials]
tenant = "env:CRM_TENANT"
unset = ""

[headers]
Accept = "application/json"

[sample]
email = "jo@example.com"
age = 30
amount = 2.50
birth_date = 1991-11-27
opt_in_at = 2026-01-31T12:30:00Z

[wait]
where = "header"
path = "X-Reset"
unit = "epoch"

[limits]
total_timeout = 10
in_flight = 2
per_second = 2.5
max_age = 3600
schedule = [0, 5, 30.5]

[body]
encoding = "json"
document = """
{"email": "{{ email }}"}
"""

[[rules]]
status = 201
where = "json"
path = "state"
operator = "one_of"
value = ["new", true, 7]
ignore_case = true
outcome = "delivered"

[[expected_responses]]
name = "Created"
status = 201
headers = {X-A = "1"}
body = "{}"
outcome = "delivered"
'''


def refusal(text: str) -> str:
    with pytest.raises(DescriptionError) as caught:
        load_connection(text)
    return str(caught.value)


def test_a_file_with_a_name_alone_is_loaded() -> None:
    assert load_connection('name = "CRM"') == ConnectionSpec(name="CRM")


def test_every_key_is_loaded() -> None:
    assert load_connection(EVERYTHING, str.lower) == ConnectionSpec(
        name="Everything",
        documentation="https://crm.example.com/docs",
        method="PUT",
        endpoints={
            "production": "https://crm.example.com/{{ credentials.tenant }}",
            "testing": "https://test.crm.example.com/",
        },
        authorization=ApiKey(name="X-Key", key="crm_key"),
        credentials={"tenant": "crm_tenant", "unset": ""},
        headers={"Accept": "application/json"},
        encoding="json",
        document='{"email": "{{ email }}"}\n',
        content_type="application/vnd.api+json",
        required=("email", "mobile"),
        empty_values=EmptyValues.NULL,
        idempotency_header="X-Message-Id",
        response_handling=ResponseHandling(
            rules=(
                Rule(
                    status="201",
                    where="json",
                    path="state",
                    operator="one_of",
                    value=("new", "true", "7"),
                    ignore_case=True,
                    outcome=Outcome.DELIVERED,
                ),
            ),
            reason="//error",
            reference="id",
            wait=RetryAfter(where="header", path="X-Reset", unit=RetryAfterUnit.EPOCH),
        ),
        expected_responses=(
            DocumentedResponse(
                name="Created",
                status=201,
                headers=(("X-A", "1"),),
                body="{}",
                outcome=Outcome.DELIVERED,
            ),
        ),
        sample={
            "email": "jo@example.com",
            "age": 30,
            "amount": "2.50",
            "birth_date": "1991-11-27",
            "opt_in_at": "2026-01-31T12:30:00+00:00",
        },
        limits=Limits(
            total_timeout=10, in_flight=2, per_second=2.5, max_age=3600, schedule=(0, 5, 30.5)
        ),
        on_unknown=OnUnknown.HOLD,
    )


def test_a_reference_without_a_lookup_becomes_a_test_value() -> None:
    text = 'name = "x"\n[authorization]\nkind = "basic"\npassword = "env:CRM_PASSWORD"'

    assert load_connection(text).authorization == Basic(password="test-CRM_PASSWORD")


def test_credentials_may_be_empty() -> None:
    def never(name: str) -> str:
        raise AssertionError(name)

    spec = load_connection('name = "x"\n[authorization]\nkind = "basic"\npassword = ""', never)

    assert spec.authorization == Basic(password="")


def test_only_the_secret_settings_of_an_authorization_are_references() -> None:
    text = 'name = "x"\n[authorization]\nkind = "oauth2_client_credentials"\n'
    text += 'token_url = "https://crm.example.com/token"\nclient_id = "me"\nclient_secret = "env:S"'

    assert load_connection(text, str.lower).authorization == OAuth2ClientCredentials(
        token_url="https://crm.example.com/token", client_id="me", client_secret="s"
    )


@pytest.mark.parametrize(
    "value", ["s3cret", "env:", "env: NAME", "env:1A", "env:A-B", "ENV:A", " "]
)
def test_a_credential_in_a_file_is_refused_and_not_quoted(value: str) -> None:
    refused = refusal(f'name = "x"\n[authorization]\nkind = "bearer"\ntoken = "{value}"')

    message = "A file never holds a credential: write env:NAME, or leave it empty."
    assert refused == f"authorization.token: {message}"
    assert refusal(f'name = "x"\n[credentials]\nkey = "{value}"') == f"credentials.key: {message}"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"true"', ("true",)),
        ("true", ("true",)),
        ("false", ("false",)),
        ("201", ("201",)),
        ("2.50", ("2.50",)),
        ("9223372036854775807", ("9223372036854775807",)),
        ('"É"', ("É",)),
    ],
)
def test_a_compared_value_is_its_json_text(written: str, value: tuple[str, ...]) -> None:
    rule = '[[rules]]\noutcome = "delivered"\nwhere = "json"\npath = "a"\noperator = "equals"'
    spec = load_connection(f'name = "x"\n{rule}\nvalue = {written}')

    assert spec.response_handling.rules[0].value == value


def test_a_file_without_an_authorization_has_the_kind_none() -> None:
    assert load_connection('name = "x"').authorization == None_()
    assert load_connection('name = "x"\n[authorization]').authorization == None_()


def test_an_idempotency_header_can_be_turned_off() -> None:
    assert load_connection('name = "x"\nidempotency_header = ""').idempotency_header == ""


def test_a_byte_order_mark_and_carriage_returns_are_ignored() -> None:
    text = '\ufeffname = "x"\r\n[body]\r\ndocument = """\r\n{\r\n}"""\r\n'

    assert load_connection(text) == ConnectionSpec(name="x", document="{\n}")


@pytest.mark.parametrize("text", ["name", 'name = "x', 'name = "a"\nname = "b"', "{}", "a = ["])
def test_invalid_toml_is_refused_with_its_line(text: str) -> None:
    assert refusal(text).startswith("file: Not valid TOML: ")
    assert "line" in refusal(text) or "end of document" in refusal(text)


def test_toml_that_is_nested_too_deeply_is_refused() -> None:
    assert refusal(f"a = {'[' * 5000}{']' * 5000}") == "file: The TOML is nested too deeply."
