"""Tests of the errors for invalid keys of TOML files."""

import pytest

from connections.core.errors import DescriptionError
from connections.core.request.authorization import authorizations
from connections.core.request.bodies import body_encodings
from connections.core.response.extractors import extractors
from connections.core.response.operators import operators
from connections.importers.files import load_connection

RULE = '[[rules]]\noutcome = "delivered"\n'
JSON_RULE = RULE + 'where = "json"\npath = "a"\n'
EQUALS = JSON_RULE + 'operator = "equals"\n'
EXPECTED = '[[expected_responses]]\nname = "x"\nstatus = 200\noutcome = "delivered"\n'

TEXT = "Must be a text in quotes."
POSITIVE = "Must be a number greater than 0."
SECONDS = "Must be a list of seconds: [0, 5, 30]."
STATUS = "Must be a whole number from 100 to 599."
NOT_ONE_OF = 'A list is for operator = "one_of".'
EMPTY_TEXT = 'An empty text is what operator = "empty" is for.'
RULE_STATUS = 'Must be a text in quotes: "2xx" or "409, 422".'
COMPARED = "Must be a text, a number, true or false, or a list of these."
KINDS = f"Known: {', '.join(name for name, _ in authorizations.items())}."
ENCODINGS = f"Known: {', '.join(name for name, _ in body_encodings.items())}."
EXTRACTORS = f"Known: {', '.join(name for name, _ in extractors.items())}."
OPERATORS = f"Known: {', '.join(name for name, _ in operators.items())}."
OUTCOMES = (
    "delivered, duplicate, rejected, suppressed, throttled, unavailable, unauthorized, unknown"
)
ALL_OUTCOMES = f"{OUTCOMES}, unrecognised, invalid"


def refusal(text: str) -> str:
    with pytest.raises(DescriptionError) as caught:
        load_connection(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "name: Is needed."),
        ("name = 1", f"name: {TEXT}"),
        ('nmae = "x"', 'nmae: There is no such key. Did you mean "name"?'),
    ],
)
def test_a_file_without_a_name_is_refused(text: str, error: str) -> None:
    assert refusal(text) == error


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("documentation = 1", f"documentation: {TEXT}"),
        ("method = 1", f"method: {TEXT}"),
        ('method = "post"', "method: Must be one of GET, POST, PUT, PATCH, DELETE."),
        ("empty_values = true", f"empty_values: {TEXT}"),
        (
            'empty_values = "omitt"',
            'empty_values: Must be one of omit, empty, null. Did you mean "omit"?',
        ),
        ('required = "email"', 'required: Must be a list of texts: ["email"].'),
        ("reason = 1", f"reason: {TEXT}"),
        (
            'reason = "//["',
            "reason: Not a valid XPath: Invalid expression. Write it like //RESULT/SUCCESS.",
        ),
        ('reason = ""\nreference = []', f"reference: {TEXT}"),
        ("on_unknown = false", f"on_unknown: {TEXT}"),
        ('on_unknown = "wait"', "on_unknown: Must be one of retry, hold."),
        ("idempotency_header = 1", f"idempotency_header: {TEXT}"),
        ("content_type = 1", f"content_type: {TEXT}"),
        ('rule = "x"', 'rule: There is no such key. Did you mean "rules"?'),
    ],
)
def test_an_invalid_top_level_key_is_named(line: str, error: str) -> None:
    assert refusal(f'name = "x"\n{line}') == error


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ('endpoints = "https://x"', "endpoints: Must be a table: [endpoints]."),
        ("[endpoints]\nproduction = 1", f"endpoints.production: {TEXT}"),
        (
            '[endpoints]\nproductoin = "https://x"',
            'endpoints.productoin: There is no such key. Did you mean "production"?',
        ),
        ("[authorization]\nkind = 1", f"authorization.kind: {TEXT}"),
        (
            '[authorization]\nkind = "baerer"',
            (
                'authorization.kind: There is no authorization "baerer". '
                f'Did you mean "bearer"? {KINDS}'
            ),
        ),
        (
            '[authorization]\nkind = "basic"\nuser_name = "x"',
            'authorization.user_name: "basic" has no such setting. Did you mean "username"?',
        ),
        ('[authorization]\nkind = "basic"\npassword = 1', f"authorization.password: {TEXT}"),
        ('[authorization]\nkind = "api_key"', "authorization.name: Name is needed."),
        (
            '[authorization]\nkind = "api_key"\nname = "X"\nlocation = "body"',
            "authorization.location: Must be one of header, query.",
        ),
        ("[credentials]\nkey = 1", f"credentials.key: {TEXT}"),
        ("[headers]\nAccept = 1", f"headers.Accept: {TEXT}"),
        ("body = 1", "body: Must be a table: [body]."),
        ("[body]\nencoding = 1", f"body.encoding: {TEXT}"),
        (
            '[body]\nencoding = "jsn"',
            f'body.encoding: There is no body encoding "jsn". Did you mean "json"? {ENCODINGS}',
        ),
        ("[body]\ndocument = {}", f"body.document: {TEXT}"),
        (
            '[body]\ndocumnt = ""',
            'body.documnt: There is no such key. Did you mean "document"?',
        ),
        ('wait = "X-Reset"', "wait: Must be a table: [wait]."),
        ('[wait]\npath = "X-Reset"', "wait.where: Is needed."),
        ('[wait]\nwhere = "header"', "wait.path: Is needed."),
        ('[wait]\nwhere = "text"\npath = "x"', "wait.where: Must be header, json or xpath."),
        (
            '[wait]\nwhere = "header"\npath = "x"\nunit = "minutes"',
            "wait.unit: Must be one of seconds, milliseconds, epoch.",
        ),
        ('[wait]\nheader = "x"', "wait.header: There is no such key."),
        ("sample = 1", "sample: Must be a table: [sample]."),
        (
            "[sample]\nemail = []",
            "sample.email: Must be a text, a number, a date, true or false.",
        ),
        ("[limits]\nin_flight = 0", f"limits.in_flight: {POSITIVE}"),
        ("[limits]\nin_flight = 2.5", "limits.in_flight: Must be a whole number."),
        ("[limits]\nper_second = true", f"limits.per_second: {POSITIVE}"),
        ('[limits]\nmax_age = "1 day"', f"limits.max_age: {POSITIVE}"),
        ("[limits]\ntotal_timeout = inf", f"limits.total_timeout: {POSITIVE}"),
        ("[limits]\ntotal_timeout = nan", f"limits.total_timeout: {POSITIVE}"),
        ("[limits]\ntotal_timeout = -1", f"limits.total_timeout: {POSITIVE}"),
        ("[limits]\nschedule = 5", f"limits.schedule: {SECONDS}"),
        ("[limits]\nschedule = []", f"limits.schedule: {SECONDS}"),
        ("[limits]\nschedule = [0, -5]", f"limits.schedule: {SECONDS}"),
        (
            "[limits]\nin_fligth = 1",
            'limits.in_fligth: There is no such key. Did you mean "in_flight"?',
        ),
    ],
)
def test_an_invalid_key_of_a_table_is_named_with_its_table(table: str, error: str) -> None:
    assert refusal(f'name = "x"\n{table}') == error


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ('[[rules]]\nstatus = "200"', f"outcome: Must be one of {ALL_OUTCOMES}."),
        (
            '[[rules]]\nstatus = "200"\noutcome = "invalid"',
            f"outcome: A rule's outcome is one of {OUTCOMES}.",
        ),
        (RULE, "status: A rule needs a status, a condition, or both."),
        (
            RULE + 'status = "20x"',
            'status: "20x" is no status; write 201, 2xx, 400-499, or several with commas.',
        ),
        (RULE + "status = [200, 201]", f"status: {RULE_STATUS}"),
        (RULE + "status = true", f"status: {RULE_STATUS}"),
        (
            RULE + 'where = "jsn"\noperator = "exists"',
            f'where: There is no place "jsn". Did you mean "json"? {EXTRACTORS}',
        ),
        (RULE + 'where = "json"\noperator = "exists"', "path: Is needed to look in a JSON path."),
        (
            RULE + 'where = "text"\npath = "a"\noperator = "exists"',
            "path: Must stay empty to look in the body text.",
        ),
        (
            JSON_RULE + 'operator = "equal"\nvalue = "x"',
            f'operator: There is no operator "equal". Did you mean "equals"? {OPERATORS}',
        ),
        (EQUALS, 'value: Is needed for "equals".'),
        (EQUALS + 'value = ""', 'value: Is needed for "equals".'),
        (EQUALS + "value = 1979-05-27", f"value: {COMPARED}"),
        (EQUALS + "value = {a = 1}", f"value: {COMPARED}"),
        (EQUALS + 'value = ["a", "b"]', f"value: {NOT_ONE_OF}"),
        (JSON_RULE + 'operator = "one_of"\nvalue = ["", "b"]', f"value: {EMPTY_TEXT}"),
        (JSON_RULE + 'operator = "one_of"\nvalue = [["b"]]', f"value: {COMPARED}"),
        (JSON_RULE + 'operator = "exists"\nvalue = 1', 'value: Must stay empty for "exists".'),
        (RULE + 'status = "200"\npath = "a"', "path: Has no meaning without where."),
        (EQUALS + 'value = "x"\nignore_case = 1', "ignore_case: Must be true or false."),
        (RULE + 'staus = "200"', 'staus: There is no such key. Did you mean "status"?'),
    ],
)
def test_an_invalid_key_of_a_rule_is_named_with_the_number_of_the_rule(
    rule: str, error: str
) -> None:
    first = f'name = "x"\n{RULE}status = "201"\n'

    assert refusal(first + rule) == f"rules[2].{error}"


def test_an_invalid_json_path_is_named() -> None:
    rule = RULE + 'where = "json"\npath = "a["\noperator = "exists"'

    assert refusal(f'name = "x"\n{rule}').startswith("rules[1].path: Not a valid JSON path: ")


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (EXPECTED.replace('"x"', "1"), f"name: {TEXT}"),
        (EXPECTED.replace('name = "x"', ""), "name: Is needed."),
        (EXPECTED.replace("200", '"200"'), f"status: {STATUS}"),
        (EXPECTED.replace("200", "99"), f"status: {STATUS}"),
        (EXPECTED.replace("200", "600"), f"status: {STATUS}"),
        (EXPECTED.replace("status = 200", ""), f"status: {STATUS}"),
        (EXPECTED.replace("200", "true"), f"status: {STATUS}"),
        (EXPECTED + "body = {}", f"body: {TEXT}"),
        (EXPECTED + 'headers = "x"', "headers: Must be a table: [headers]."),
        (EXPECTED + "headers = {A = 1}", f"headers.A: {TEXT}"),
        (
            EXPECTED.replace("delivered", "deliverd"),
            f'outcome: Must be one of {ALL_OUTCOMES}. Did you mean "delivered"?',
        ),
        (EXPECTED + 'bdy = ""', 'bdy: There is no such key. Did you mean "body"?'),
        (EXPECTED.replace('"x"', '"first"'), 'name: There is another one of the name "first".'),
    ],
)
def test_an_invalid_key_of_an_expected_response_is_named_with_its_number(
    row: str, error: str
) -> None:
    first = EXPECTED.replace('"x"', '"first"')

    assert refusal(f'name = "x"\n{first}{row}') == f"expected_responses[2].{error}"
